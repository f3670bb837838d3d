"""Renderings: a value or a part as text and HTML, within limits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

from flytenb.display.html import page, to_html
from flytenb.display.limits import Limits, Trimmer
from flytenb.display.part import Part, Rich, Scripted, Value, named_part
from flytenb.display.part_text import to_text
from flytenb.display.registry import Registry
from flytenb.display.selection import Selections
from flytenb.display.view import View, fallback_part

STANDARD = Limits()
_MOST_ATTEMPTS = 6


@dataclass(frozen=True, repr=False)
class Rendering:
    """A value as text and as HTML, both from the same parts. Holds no reference to the value.

    Attributes:
        text: the plain text.
        fragment: the HTML without its style sheet, for a page that holds several.
        extra: pairs of MIME type and data that a richer front end may prefer (a plotly or Vega figure).
        live: trusted markup with scripts that replaces the HTML, if this is the whole output.
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


class Displayed:
    """Data with a display: its text is the `repr`, its text and HTML are what a front end shows."""

    @property
    def _shown(self) -> Rendering:
        raise NotImplementedError

    def __repr__(self) -> str:
        return self._shown.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self._shown._repr_mimebundle_()


class Show(Protocol):
    """Signature of a function that renders a value, such as `flytenb.display.show.show`."""

    def __call__(self, value: Any, declared: Any = None, *, name: str = "", limits: Limits = STANDARD) -> Rendering:
        """Return a value as text and HTML."""


def render_value(
    value: Any,
    declared: Any = None,
    *,
    registry: Registry,
    name: str = "",
    limits: Limits = STANDARD,
    selections: Selections | None = None,
) -> Rendering:
    """Return a value as text and HTML; never raises. `show` calls this with the standard registry.

    Args:
        value: the value. Nothing remote is fetched and nothing lazy is computed.
        declared: its declared type, if any.
        registry: where displays are looked up.
        name: the value's name, e.g. of an output.
        limits: how much is shown.
        selections: the reader's choices; None for a static display.
    """
    part = View._start(registry, limits, selections).show(value, declared)
    extra: tuple[tuple[str, Any], ...] = ()
    live = ""
    if isinstance(part, Rich):
        extra, part = part.extra, part.body
    elif isinstance(part, Scripted):
        live, part = part.markup, part.body
    try:
        return replace(render_part(named_part(part, name), limits), extra=extra, live=live)
    except Exception as error:
        # A user's display may construct a part from objects of the wrong types.
        return render_part(named_part(fallback_part(value, error), name), limits)


def render_part(part: Part, limits: Limits = STANDARD) -> Rendering:
    """Return a part as text and HTML, no larger than the limits."""
    within = limits
    for _ in range(_MOST_ATTEMPTS):
        trimmed = Trimmer(within).trim(part)
        fragment = to_html(trimmed)
        if len(fragment.encode()) <= limits.html:
            return Rendering(to_text(trimmed, limits.text), fragment)
        within = within.smaller()
    text = to_text(trimmed, limits.text)
    return Rendering(text, to_html(Value(text, "", ("too large to show as HTML",))))
