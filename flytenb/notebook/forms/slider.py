"""Slider with a text field, both of which have a name for screen readers: the handle of ipywidgets' slider has none."""

from __future__ import annotations

from importlib.resources import files

import anywidget
import traitlets


class Slider(anywidget.AnyWidget):
    """A range between two bounds; `value` is the text of the number, as in a text field."""

    _esm = (files("flytenb.notebook.forms") / "slider.js").read_text(encoding="utf-8")

    description = traitlets.Unicode().tag(sync=True)
    value = traitlets.Unicode().tag(sync=True)
    low = traitlets.Unicode().tag(sync=True)
    high = traitlets.Unicode().tag(sync=True)
    step = traitlets.Unicode("1").tag(sync=True)
