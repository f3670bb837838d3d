"""Widget of the live view: JavaScript module, style sheet and synchronised traits."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

import anywidget
import traitlets

from flytenb.display.html import shared_module, style
from flytenb.notebook.front_end import receive
from flytenb.render.theme import ICONS, style_sheet


def page_text(name: str) -> str:
    """Return the content of one of the page's files."""
    return (files("flytenb.notebook.live") / "page" / name).read_text(encoding="utf-8")


def page_module() -> str:
    """Return the JavaScript module, joined from its files in order; only the last one exports anything.

    The kernel sets the traits `picture`, `frame` and `changes`; the page sends custom messages.
    """
    own = (page_text(f"{part}.js") for part in ("layers", "stage", "inspector", "gates", "view", "mount"))
    return "\n".join((f"const ICONS = {json.dumps(dict(ICONS))};", shared_module(), *own))


def page_style() -> str:
    """Return the style sheets of drawings, values and the view."""
    return "\n".join((style_sheet(), style(), page_text("live.css")))


class RunWidget(anywidget.AnyWidget):
    """One run in the page. Only the kernel sets the traits; the page sends custom messages.

    JupyterLab shows nothing of a widget output once the kernel is gone, and no other MIME type of that output either.
    Therefore the output is static HTML, and the module puts the view into the element whose class ends with `key`.
    """

    _esm = page_module()
    _css = page_style()

    key = traitlets.Unicode().tag(sync=True)
    about = traitlets.Dict().tag(sync=True)
    picture = traitlets.Dict({"number": 0}).tag(sync=True)
    frame = traitlets.Dict({"key": 0, "boxes": {}}).tag(sync=True)
    changes = traitlets.Dict({"key": 0, "boxes": {}}).tag(sync=True)

    def __init__(
        self, about: dict[str, Any], on_message: Callable[[dict[str, Any]], None], key: str = "", **state: Any
    ) -> None:
        super().__init__(key=key or secrets.token_hex(8), about=about, **state)
        receive(self, on_message)

    @property
    def place(self) -> str:
        """Classes of the elements that the module puts the view into; pages that sanitise HTML keep classes."""
        return f"ft-live ft-live-{self.key}"

    def bundle(self, static: Mapping[str, str], *, as_widget: bool) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the MIME bundle that shows the view, and its metadata, where Colab finds its widget manager.

        Args:
            static: the static bundle, shown without JavaScript and saved.
            as_widget: whether the front end runs the module only for widget outputs.
        """
        widget, metadata = (as_widget and self._repr_mimebundle_()) or ({}, {})
        html = f'<div class="{self.place}">{static["text/html"]}</div>'
        return {**widget, "text/plain": static["text/plain"], "text/html": html}, metadata
