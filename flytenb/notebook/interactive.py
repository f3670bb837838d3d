"""The functions of `flytenb` that need widgets: input forms and explorers. ipywidgets is imported on first use."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flytenb.api import start
from flytenb.display.registry import F, Key
from flytenb.notebook.forms.control_registry import CONTROLS
from flytenb.session.host import host

if TYPE_CHECKING:
    from flytenb.notebook.explore.explorer import Explorer
    from flytenb.notebook.forms.form import Form

__all__ = ["control_for", "explore", "form"]


def control_for(key: Key) -> Callable[[F], F]:
    """Return a decorator that makes a function the input control of a type.

    The function gets the declared type and a `flytenb.parts.ControlContext`, and returns a `flytenb.parts.Control`, or
    `NotImplemented` to pass the type to the next control.

    Args:
        key: a type, its dotted name (`"heavylib.Thing"`, which is not imported), or a predicate on the declared type.

    Raises:
        DefinitionError: if the function can't be called with two arguments, or for any other key.
    """
    return CONTROLS.register(key)


def explore(value: Any, declared: Any = None, *, name: str = "") -> Explorer:
    """Return a display with controls: pages, sorting and search of rows, slices of arrays, nested values to open.

    In a front end without widgets, and in a saved notebook, the output is that of `show`.

    Args:
        value: the value to show.
        declared: its declared type, if that differs from `type(value)`.
        name: a title.
    """
    from flytenb.notebook.explore.explorer import Explorer

    return Explorer(value, declared, name=name)


def form(entity: Any) -> Form:
    """Return an input form of an entity. As the last line of a cell it is shown; its button starts a run.

    The session keeps the inputs of a form by the name of the entity.

    Raises:
        NotAnEntityError: for anything but a task, workflow or launch plan with Python types.
    """
    from flytenb.notebook.forms.form import Form

    return Form(entity, start, memory=host.session.inputs)
