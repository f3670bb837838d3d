"""The widget behind an explorer: it has no view of its own, but makes an output of plain HTML answer."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import anywidget
import traitlets

from flytenb.display.html import controls_style, shared_module


class ExplorerWidget(anywidget.AnyWidget):
    """Markup for the elements whose class ends with `key`, and what their reader chooses.

    A widget's view in an output would be all that JupyterLab shows of it, and nothing once the kernel is gone. So the
    output is HTML, and the page's module looks for it.
    """

    _esm = shared_module() + (files("flytenb.notebook.explore") / "explore.js").read_text(encoding="utf-8")
    _css = controls_style()

    key = traitlets.Unicode().tag(sync=True)
    fragment = traitlets.Unicode().tag(sync=True)

    def __init__(self, on_message: Callable[[dict[str, Any]], None], fragment: str) -> None:
        super().__init__(key=secrets.token_hex(8), fragment=fragment)
        self.on_msg(lambda _, content, buffers: on_message(content))
        # See RunWidget: a page's message goes where the page sends it, also while a cell runs.
        if hasattr(self.comm, "_reply_subshell_for"):
            self.comm._reply_subshell_for = lambda data, default: default
