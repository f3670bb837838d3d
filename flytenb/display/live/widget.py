"""The widget: the page's module, its style, and the three things that the page's model holds."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import anywidget
import traitlets

from flytenb.display.html import markup_module, style
from flytenb.render.theme import style_sheet

_KEPT_OPEN = 8


def page_text(name: str) -> str:
    """Return one of the files that the page gets."""
    return (files("flytenb.display.live") / "page" / name).read_text(encoding="utf-8")


def page_module() -> str:
    """Return the page's one module: its parts in order, each a noun; only the last one exports anything.

    The kernel tells by the model's `picture`, `frame` and `changes`; what a person does goes there as messages.
    """
    own = (page_text(f"{part}.js") for part in ("stage", "inspector", "gates", "view"))
    return "\n".join((markup_module(), *own))


def page_style() -> str:
    """Return all styles that the page needs: of drawings, of values, of the view."""
    return "\n".join((style_sheet(), style(), page_text("live.css")))


class RunWidget(anywidget.AnyWidget):
    """One run in the page. The page never sets any of these: what it has to say comes as messages."""

    _esm = page_module()
    _css = page_style()

    about = traitlets.Dict().tag(sync=True)
    picture = traitlets.Dict({"number": 0}).tag(sync=True)
    frame = traitlets.Dict({"key": 0, "boxes": {}}).tag(sync=True)
    changes = traitlets.Dict({"key": 0, "boxes": {}}).tag(sync=True)

    def __init__(self, about: dict[str, Any], on_message: Callable[[dict[str, Any]], None], **state: Any) -> None:
        super().__init__(about=about, **state)
        self.on_msg(lambda _, content, buffers: on_message(content))
        # ipykernel (checked: 7.4) leads a page's message to the shell that last published on this comm. Our threads
        # publish on behalf of the cell, whose shell is busy until the run is over: let messages go where the page
        # sends them, which is a subshell of its own where there are any.
        if hasattr(self.comm, "_reply_subshell_for"):
            self.comm._reply_subshell_for = lambda data, default: default

    @property
    def bundle(self) -> dict[str, Any]:
        """What shows it in an output."""
        reference = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        return {"application/vnd.jupyter.widget-view+json": reference}


_finished: deque[RunWidget] = deque()


def retire(widget: RunWidget) -> None:
    """Let a widget go that nothing more will be told to, but not at once: a page that was reloaded still shows it."""
    _finished.append(widget)
    while len(_finished) > _KEPT_OPEN:
        _finished.popleft().close()
