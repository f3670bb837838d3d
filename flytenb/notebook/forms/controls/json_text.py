"""Control for all other types: JSON text, converted by flytekit's type engine."""

from __future__ import annotations

import json
from typing import Any

import ipywidgets as widgets

from flytenb.notebook.forms.control import ControlError, ValueControl
from flytenb.notebook.forms.control_context import ControlContext
from flytenb.notebook.forms.control_registry import FALLBACK
from flytenb.types.plain_data import from_plain, to_plain
from flytenb.wording.values import brief


@FALLBACK.register(lambda declared: True)
def json_control(declared: Any, context: ControlContext) -> ValueControl:
    """Return a text area for JSON."""
    field = widgets.Textarea(rows=3, placeholder="JSON", layout=widgets.Layout(width="auto"))
    field.add_class("ft-form-code")

    def parse(text: str) -> Any:
        if not text.strip():
            raise ControlError("JSON is missing")
        try:
            data = json.loads(text)
        except ValueError as error:
            raise ControlError(f"expected JSON: {error}") from None
        try:
            return from_plain(data, declared)
        except Exception as error:
            raise ControlError(f"invalid value {brief(data)}: {brief(error, 200)}") from error

    def show(value: Any) -> str:
        return json.dumps(to_plain(value, declared), indent=2, ensure_ascii=False)

    return ValueControl(field, parse, show)
