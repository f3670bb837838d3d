"""Pictures of HTML outputs as outputs of their own, for sites that remove images from the HTML of saved notebooks."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from flytenb.display.part import PICTURE_TYPES

_OURS = '<div class="ft-'
_ADDRESS = re.compile(r"data:(image/[a-z+]+);base64,(.*)", re.DOTALL)
_FRAME = re.compile(r'<pre class="ft-picture"[^>]*>\0</pre>')


class _Images(HTMLParser):
    """Finds the images that are shown at first: those in folded details stay where they are.

    Attributes:
        found: start and stop of the tag, MIME type, data as a notebook has it and text alternative of each image.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[int, int, str, str, str]] = []
        self._folded: list[bool] = []
        self._lines = [0, *(end.end() for end in re.finditer("\n", html))]
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "details":
            self._folded.append("open" not in given)
        address = _ADDRESS.fullmatch(given.get("src") or "") if tag == "img" else None
        data = _data(address[1], address[2]) if address and not any(self._folded) else ""
        if address and data:
            line, column = self.getpos()
            start = self._lines[line - 1] + column
            stop = start + len(self.get_starttag_text() or "")
            self.found.append((start, stop, address[1], data, (given.get("alt") or "").strip("\n")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "details" and self._folded:
            self._folded.pop()


def _data(kind: str, encoded: str) -> str:
    """Return a picture as a notebook has it, SVG as text and others in base64; `""` for what isn't one."""
    try:
        found = base64.b64decode(encoded, validate=True)
        shown = found.decode() if kind == "image/svg+xml" else encoded
    except ValueError:
        return ""
    return shown if kind in PICTURE_TYPES else ""


def move_pictures(notebook: dict[str, Any]) -> int:
    """Move the pictures of a notebook's outputs, and return their number; a second call finds none.

    Each becomes an output after the one that had it, as SVG or in its own format and as text. Pictures in folded
    details and those of other libraries' HTML stay.

    Args:
        notebook: the JSON of the notebook, which is changed.
    """
    number = 0
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            outputs = cell.get("outputs", [])
            cell["outputs"] = [each for output in outputs for each in _with_pictures(output)]
            number += len(cell["outputs"]) - len(outputs)
    return number


def _with_pictures(output: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield an output, and its pictures."""
    yield output
    source = output.get("data", {}).get("text/html", "")
    html = "".join(source)
    if _OURS not in html:
        return
    pictures = _Images(html).found
    for start, stop, *_ in reversed(pictures):
        html = f"{html[:start]}\0{html[stop:]}"
    if pictures:
        html = _FRAME.sub("", html).replace("\0", "")
        output["data"]["text/html"] = _stored(html, like=source)
    for _, _, kind, data, text in pictures:
        yield {
            "data": {kind: _stored(data, like=source), "text/plain": _stored(text, like=source)},
            "metadata": {kind: {"unconfined": True}} if kind == "image/svg+xml" else {},
            "output_type": "display_data",
        }


def _stored(text: str, like: Any) -> Any:
    """Return a text as the notebook stores texts: whole, or as a list of lines."""
    return text if isinstance(like, str) else text.splitlines(keepends=True)
