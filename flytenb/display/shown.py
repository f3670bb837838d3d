"""`show`: any value as text and HTML made from the same parts; what the parts are is left to the displays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flytenb.display import values as _built_in  # noqa: F401  (importing it fills the built-in registry)
from flytenb.display.html import page, to_html
from flytenb.display.limits import Limits, Trimmer
from flytenb.display.look import Looks
from flytenb.display.part import Live, Part, Rich, Value, named_part
from flytenb.display.registry import REGISTRY, Registry
from flytenb.display.text import to_text
from flytenb.display.view import View, in_short

STANDARD = Limits()
_SHRINKS = 6


@dataclass(frozen=True, repr=False)
class Shown:
    """A value, shown: the same facts as text and as HTML. It keeps no reference to the value.

    Attributes:
        text: for a terminal.
        fragment: the HTML without its style sheet, for a page that holds several.
        extra: what a richer front end may prefer, by MIME type (a plotly or Vega figure).
        live: trusted markup that takes the place of the HTML by scripts, in an output that is nothing else.
    """

    text: str
    fragment: str
    extra: tuple[tuple[str, Any], ...] = ()
    live: str = ""

    @property
    def html(self) -> str:
        """The HTML with its style sheet."""
        return page(self.fragment)

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/plain": self.text, "text/html": self.html + self.live, **dict(self.extra)}


def show(
    value: Any,
    declared: Any = None,
    *,
    name: str = "",
    limits: Limits = STANDARD,
    registry: Registry = REGISTRY,
    looks: Looks | None = None,
) -> Shown:
    """Return the value as text and HTML, by its declared type, the registered displays, its own repr or in short.

    Never raises and never shows more than the limits: a display that fails is passed over and named.

    Args:
        value: what to show. Nothing remote is fetched, nothing lazy is run.
        declared: its declared type, if it has one; `Annotated` renderers and type transformers are honoured.
        name: what to call it, e.g. an output's name.
        limits: how much to show.
        registry: where displays are looked up.
        looks: what a reader has chosen to see of it; `None` shows it still.
    """
    part = View.start(registry, limits, looks).show(value, declared)
    extra: tuple[tuple[str, Any], ...] = ()
    live = ""
    if isinstance(part, Rich):
        extra, part = part.extra, part.body
    elif isinstance(part, Live):
        live, part = part.markup, part.body
    try:
        return replace(rendered(named_part(part, name), limits), extra=extra, live=live)
    except Exception as error:
        # A display of the user's made a part of things that no part consists of.
        return rendered(named_part(in_short(value, error), name), limits)


def rendered(part: Part, limits: Limits = STANDARD) -> Shown:
    """Return a part as text and HTML, no larger than the limits."""
    within = limits
    for _ in range(_SHRINKS):
        trimmed = Trimmer(within).trim(part)
        fragment = to_html(trimmed)
        if len(fragment.encode()) <= limits.html:
            return Shown(to_text(trimmed, limits.text), fragment)
        within = within.smaller()
    text = to_text(trimmed, limits.text)
    return Shown(text, to_html(Value(text, "", ("too large to show as HTML",))))
