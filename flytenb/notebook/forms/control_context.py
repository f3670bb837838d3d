"""Context of a control, and the creation of controls for declared types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flytenb.display.registry import Registry
from flytenb.notebook.forms.control import Control


@dataclass(frozen=True)
class ControlContext:
    """What a control needs to know about its place in the form.

    Attributes:
        name: the name of the value.
        registry: where controls for nested values are looked up.
        names: returns the notebook's variables.
        folder: returns a directory for uploaded files.
    """

    name: str
    registry: Registry
    names: Callable[[], Mapping[str, Any]]
    folder: Callable[[], Path]

    def make(self, declared: Any, name: str = "") -> Control:
        """Return the control for a nested value."""
        return make_control(declared, replace(self, name=name or self.name))


def make_control(declared: Any, context: ControlContext) -> Control:
    """Return the best control for a declared type; there is one for every type."""
    from flytenb.notebook.forms.labels import name_inputs  # `flytenb.parts` is imported without widgets

    for maker in context.registry.candidates(declared):
        made: Any = maker(declared, context)
        if made is not NotImplemented:
            name_inputs(made.widget, context.name)
            return made  # type: ignore[no-any-return]
    raise AssertionError(f"no control for {declared!r}")  # the JSON text control accepts every type
