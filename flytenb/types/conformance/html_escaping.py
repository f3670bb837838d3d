"""Whether the `to_html` of a transformer escapes the text of values; a deck contains its result as it is."""

from __future__ import annotations

import copy
from html.parser import HTMLParser
from typing import Any

from flytenb.bridge.type_engine import TypeTransformer
from flytenb.bridge.type_engine.transformers import html_of
from flytenb.types.value_changes import describe_value
from flytenb.wording.text import clip_line

HOSTILE = "<img src=x onerror=\"alert('flytenb')\">&"
_MARK = "alert('flytenb')"


def find_unescaped(transformer: TypeTransformer[Any], sample: Any, python_type: Any) -> str:
    """Return the fault in the HTML of a value whose texts are all markup, `""` if there is none."""
    value = _with_hostile_texts(sample)
    html = html_of(transformer, value, python_type)
    if not isinstance(html, str):
        return f"expected to_html to return str, got {describe_value(html)}"
    reader = _Reader()
    reader.feed(html)
    reader.close()
    if reader.has_mark:
        return "a text of the value became markup"
    is_own = type(transformer).to_html is not TypeTransformer.to_html
    if not is_own and "<" in html:
        return f"flytekit shows str(value), which browsers read as a tag: {clip_line(html, 60)}"
    return ""


class _Reader(HTMLParser):
    """Looks for the attribute in the hostile text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.has_mark = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.has_mark |= any(_MARK in (value or "") for name, value in attrs if name == "onerror")


def _with_hostile_texts(sample: Any) -> Any:
    """Return a copy with hostile text in each attribute that is text; a text is replaced."""
    if type(sample) is str:
        return HOSTILE
    try:
        made = copy.copy(sample)
        texts = [name for name, value in vars(sample).items() if isinstance(value, str)]
        for name in texts:
            object.__setattr__(made, name, HOSTILE)
    except Exception:  # without attributes, or not copyable
        return sample
    return made
