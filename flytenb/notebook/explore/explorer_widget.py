"""Widget of an explorer: it has no view, but makes static HTML outputs interactive."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import anywidget
import traitlets

from flytenb.display.html import controls_style, shared_module
from flytenb.notebook.front_end import receive


class ExplorerWidget(anywidget.AnyWidget):
    """Markup for the elements whose class ends with `key`, and the messages of their controls.

    JupyterLab shows nothing of a widget output once the kernel is gone. Therefore the output is static HTML, which the
    module finds in the page.
    """

    _esm = shared_module() + (files("flytenb.notebook.explore") / "explore.js").read_text(encoding="utf-8")
    _css = controls_style()

    key = traitlets.Unicode().tag(sync=True)
    fragment = traitlets.Unicode().tag(sync=True)

    def __init__(self, on_message: Callable[[dict[str, Any]], None], fragment: str) -> None:
        super().__init__(key=secrets.token_hex(8), fragment=fragment)
        receive(self, on_message)
