"""The widget: the page's module, its style, and the three things that the page's model holds."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

import anywidget
import traitlets

from flytenb.display.html import shared_module, style
from flytenb.render.theme import ICONS, style_sheet


def page_text(name: str) -> str:
    """Return one of the files that the page gets."""
    return (files("flytenb.notebook.live") / "page" / name).read_text(encoding="utf-8")


def page_module() -> str:
    """Return the page's one module: its parts in order, each a noun; only the last one exports anything.

    The kernel tells by the model's `picture`, `frame` and `changes`; what a person does goes there as messages.
    """
    own = (page_text(f"{part}.js") for part in ("sheets", "stage", "inspector", "gates", "view", "place"))
    return "\n".join((f"const ICONS = {json.dumps(dict(ICONS))};", shared_module(), *own))


def page_style() -> str:
    """Return all styles that the page needs: of drawings, of values, of the view."""
    return "\n".join((style_sheet(), style(), page_text("live.css")))


class RunWidget(anywidget.AnyWidget):
    """One run in the page. The page never sets any of these: what it has to say comes as messages.

    An output that is a widget shows nothing once the kernel is gone, and JupyterLab shows nothing else of it. So the
    output is a picture in plain HTML, and the page's module puts the view into the element whose class ends with `key`.
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
        self.on_msg(lambda _, content, buffers: on_message(content))
        # ipykernel (checked: 7.4) leads a page's message to the shell that last published on this comm. Our threads
        # publish on behalf of the cell, whose shell is busy until the run is over: let messages go where the page
        # sends them, which is a subshell of its own where there are any.
        if hasattr(self.comm, "_reply_subshell_for"):
            self.comm._reply_subshell_for = lambda data, default: default

    @property
    def metadata(self) -> dict[str, Any]:
        """What stands beside an output that is the widget: Colab is told there where its widget manager is."""
        shown = self._repr_mimebundle_()
        return {} if shown is None else shown[1]

    def bundle(self, still: Mapping[str, str], *, as_widget: bool) -> dict[str, Any]:
        """Return what shows it in an output.

        Args:
            still: what is shown where nothing comes alive, and saved.
            as_widget: whether the front end runs the module only for an output that is the widget.
        """
        # A class, since pages that rebuild markup from what they know keep it.
        html = f'<div class="ft-live ft-live-{self.key}">{still["text/html"]}</div>'
        bundle: dict[str, Any] = {"text/plain": still["text/plain"], "text/html": html}
        if as_widget:
            reference = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
            bundle["application/vnd.jupyter.widget-view+json"] = reference
        return bundle
