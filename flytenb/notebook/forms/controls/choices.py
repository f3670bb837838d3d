"""Controls for types that list their values: Enum and Literal."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, Literal, get_args, get_origin

import ipywidgets as widgets

from flytenb.notebook.forms.control import ControlError, ValueControl
from flytenb.notebook.forms.control_context import ControlContext
from flytenb.notebook.forms.control_registry import BUILT_IN
from flytenb.wording.types import bare
from flytenb.wording.values import brief


@BUILT_IN.register(Enum)
def enum_control(declared: Any, context: ControlContext) -> ValueControl:
    """Return a list of the members, by name and value."""
    members = list(bare(declared))
    return choice_control([f"{m.name} = {brief(m.value, 40)}" for m in members], members)


@BUILT_IN.register(lambda declared: get_origin(bare(declared)) is Literal)
def literal_control(declared: Any, context: ControlContext) -> ValueControl:
    """Return a list of the values."""
    values = get_args(bare(declared))
    return choice_control([repr(v) for v in values], values)


def choice_control(labels: Sequence[str], values: Sequence[Any]) -> ValueControl:
    """Return a list to choose from; the widget holds indices, since values may be equal but not identical."""
    options = [(label, i) for i, label in enumerate(labels)]
    widget = widgets.Dropdown(options=options, value=0 if options else None, layout=widgets.Layout(width="auto"))

    def read(index: int | None) -> Any:
        if index is None:
            raise ControlError("there is nothing to choose")
        return values[index]

    def find(value: Any) -> int:
        for i, known in enumerate(values):
            if known is value or (type(known) is type(value) and known == value):
                return i
        raise ControlError(f"expected one of {', '.join(labels)}, got {value!r}")

    return ValueControl(widget, read, find)
