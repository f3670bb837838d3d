"""Values that a run no longer holds, as those who ask for several get them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flytenb.errors import AbsentValueError
from flytenb.wording.packages import loaded


class Absent:
    """Takes the place of a value that isn't held, among others that are. Never equal to another one.

    Attributes:
        error: the AbsentValueError with the reason.
    """

    def __init__(self, error: AbsentValueError) -> None:
        self.error = error

    def __repr__(self) -> str:
        return f"<absent: {self.error.message}>"


def read_or_absent(read: Callable[[], Any]) -> Any:
    """Return what `read` returns, for a reader, an `Absent` if the value isn't held."""
    try:
        return without_pyplot(read())
    except AbsentValueError as e:
        return Absent(e)


def without_pyplot(value: Any) -> Any:
    """Return the value; remove a figure from those of pyplot, which a notebook would show by itself.

    A pickled figure is registered with pyplot when it is read, so that a task finds it there.
    """
    figures: Any = loaded("matplotlib.figure")
    helpers: Any = loaded("matplotlib._pylab_helpers")
    if figures is not None and helpers is not None and issubclass(type(value), figures.Figure):
        manager = value.canvas.manager
        if manager is not None and helpers.Gcf.figs.get(manager.num) is manager:
            del helpers.Gcf.figs[manager.num]
    return value
