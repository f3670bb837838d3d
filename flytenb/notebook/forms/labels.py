"""Labels of controls: name, type and bounds, escaped."""

from __future__ import annotations

from html import escape
from typing import Any

import ipywidgets as widgets
from ipywidgets.widgets.widget_description import DescriptionWidget

from flytenb.notebook.forms.bounds import read_bounds
from flytenb.notebook.forms.slider import Slider
from flytenb.wording.types import type_text
from flytenb.wording.values import clean, clip


def label(name: str, declared: Any, *, is_required: bool = False) -> Any:
    """Return a widget with a name, a type and the bounds of a number."""
    mark = '<span class="ft-form-required" title="required">*</span>' if is_required else ""
    kind = ", ".join(filter(None, (clip(type_text(declared), 80), read_bounds(declared).text)))
    made = widgets.HTML(f"<b>{escape(clean(name))}</b>{mark}<br><code>{escape(kind)}</code>")
    made.add_class("ft-form-label")
    return made


def name_inputs(widget: Any, name: str) -> None:
    """Give a name to the inputs of a control that have none, for screen readers; the style sheet hides it."""
    if isinstance(widget, widgets.Box):
        for child in widget.children:
            name_inputs(child, name)
    elif isinstance(widget, (DescriptionWidget, Slider)) and not isinstance(widget, widgets.HTML):
        widget.description = widget.description or clean(name)


def note(text: str, css: str) -> Any:
    """Return a widget with a line of text, hidden if it is empty."""
    made = widgets.HTML()
    made.add_class(css)
    set_note(made, text)
    return made


def set_note(widget: Any, text: str) -> None:
    """Set the text of a note."""
    widget.value = escape(clean(text))
    widget.layout.display = "" if text else "none"
