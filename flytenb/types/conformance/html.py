"""Whether a transformer's `to_html` lets a value's text become markup; flytekit shows it in a deck as it is."""

from __future__ import annotations

import copy
from html.parser import HTMLParser
from typing import Any

from flytekit.core.context_manager import FlyteContextManager
from flytekit.core.type_engine import TypeTransformer

from flytenb.types.differences import tell
from flytenb.wording.text import clip_line

HOSTILE = "<img src=x onerror=\"alert('flytenb')\">&"
_MARK = "alert('flytenb')"


def find_unescaped(transformer: TypeTransformer[Any], sample: Any, python_type: Any) -> str:
    """Return what is wrong with the markup for a value whose every text is hostile, `""` if nothing is."""
    value = _with_hostile_texts(sample)
    html = transformer.to_html(FlyteContextManager.current_context(), value, python_type)
    if not isinstance(html, str):
        return f"to_html gives {tell(html)}, not text"
    reader = _Reader()
    reader.feed(html)
    reader.close()
    if reader.has_mark:
        return "a text inside the value became markup"
    is_own = type(transformer).to_html is not TypeTransformer.to_html
    if not is_own and "<" in html:
        return f"flytekit shows str(value), which browsers read as a tag: {clip_line(html, 60)}"
    return ""


class _Reader(HTMLParser):
    """Looks for an attribute that only the hostile text brings."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.has_mark = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.has_mark |= any(_MARK in (value or "") for name, value in attrs if name == "onerror")


def _with_hostile_texts(sample: Any) -> Any:
    """A copy in which each text that the value has as an attribute is hostile; a text itself is replaced."""
    if type(sample) is str:
        return HOSTILE
    try:
        made = copy.copy(sample)
        texts = [name for name, value in vars(sample).items() if isinstance(value, str)]
        for name in texts:
            object.__setattr__(made, name, HOSTILE)
    except Exception:  # it has no attributes of its own, or can't be copied: what it is will have to do
        return sample
    return made
