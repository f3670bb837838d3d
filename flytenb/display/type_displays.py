"""Displays from the declared type: `Annotated[T, renderer]`, the `to_html` of a type transformer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

from flytenb.display.part import Html, Part, Text
from flytenb.display.registry import Display
from flytenb.wording.packages import loaded
from flytenb.wording.text import class_name


def declared_displays(declared: Any, value: Any) -> Iterator[Display]:
    """Yield the displays of the declared type (or else of the value's own), the most specific first.

    The order is flytekit's: an annotation with `to_html`, then the transformer (`TypeEngine.to_html`).
    """
    if get_origin(declared) is Annotated:
        for annotation in get_args(declared)[1:]:
            # Not a class, whose `to_html` would receive the value as self.
            if not isinstance(annotation, type) and callable(getattr(annotation, "to_html", None)):
                yield _Rendered(annotation)
    if loaded("flytekit") is None:
        return
    from flytenb.bridge.type_engine.transformers import own_html

    html = own_html(type(value) if declared is None else declared)
    if html is not None:
        yield _Transformed(html)


class _Rendered:
    """Shows a value with the renderer in its annotation."""

    def __init__(self, renderer: Any) -> None:
        self._renderer = renderer
        self.__qualname__ = f"{type(renderer).__qualname__}.to_html"

    def __call__(self, value: Any, view: Any) -> Part:
        # The text of flytekit's MarkdownRenderer is known to be Markdown, which the page shows in its own style.
        renderer = type(self._renderer)
        if (renderer.__module__, renderer.__name__) == ("flytekit.deck.renderer", "MarkdownRenderer"):
            return Text(value, "markdown")
        return _html(self._renderer.to_html(value))


class _Transformed:
    """Shows a value with the `to_html` of its type transformer."""

    def __init__(self, html: Any) -> None:
        self._html = html
        self.__qualname__ = html.__qualname__

    def __call__(self, value: Any, view: Any) -> Part:
        return _html(self._html(value))


def _html(source: Any) -> Part:
    if not isinstance(source, str):
        raise TypeError(f"expected to_html to return str, got {class_name(source)}")
    return Html(source)
