"""The verbs that need widgets: input forms and explorers. ipywidgets is imported when one is first shown."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from flytenb.api import start
from flytenb.notebook.forms.registry import control_for

if TYPE_CHECKING:
    from flytenb.notebook.explore.explorer import Explorer
    from flytenb.notebook.forms.form import Form

__all__ = ["control_for", "explore", "form", "remember_in"]

_memories: list[MutableMapping[str, Any]] = [{}]


def explore(value: Any, declared: Any = None, *, name: str = "") -> Explorer:
    """Show a value to be looked at by choosing: pages, order and search of rows, slices, what is open.

    Where nobody can choose, and in the saved notebook, it is what `show` shows.
    """
    from flytenb.notebook.explore.explorer import Explorer

    return Explorer(value, declared, name=name)


def remember_in(memory: MutableMapping[str, Any]) -> Callable[[], None]:
    """Let forms remember in `memory` how they were filled, by the name of what was run.

    Returns:
        What takes the memory back.
    """

    def forget() -> None:
        # By identity: two that are both still empty are equal.
        _memories[:] = [known for known in _memories if known is not memory]

    _memories.append(memory)
    return forget


def form(entity: Any) -> Form:
    """Return an input form of an entity: as the last line of a cell it shows itself, and its button starts a run.

    Raises:
        NotAnEntityError: for anything but a task, workflow or launch plan with Python types.
    """
    from flytenb.notebook.forms.form import Form

    return Form(entity, start, memory=_memories[-1])
