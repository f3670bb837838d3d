"""Displays of other objects: a rich repr, a repr, or their attributes."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import Any

from flytenb.display.part import Group, Html, Part, Picture, Rich, Section, Text, Tree, TrustedHtml, Value
from flytenb.display.registry import BUILT_IN, FALLBACK
from flytenb.display.view import View
from flytenb.wording.values import brief, class_name, has_no_repr, is_told_by_repr, own_repr, pass_interrupt

register = BUILT_IN.register
_METHODS = {
    "text/html": "_repr_html_",
    "image/svg+xml": "_repr_svg_",
    "image/png": "_repr_png_",
    "image/jpeg": "_repr_jpeg_",
    "text/markdown": "_repr_markdown_",
    "application/json": "_repr_json_",
    "text/latex": "_repr_latex_",
}


@FALLBACK.register(object)
def show_object(value: Any, view: View) -> Part:
    """Show an object by its repr, or by its attributes if it has no repr of its own."""
    cls = type(value)
    attributes = getattr(value, "__dict__", None) if has_no_repr(cls) else None
    if isinstance(attributes, dict) and attributes:
        entries = view.entries((str(k), v, None) for k, v in list(attributes.items()))
        tree = Tree(entries, len(attributes))
        said = _said(value, view)
        return Section(class_name(value), (), Group((Text(said), tree)) if said else tree)
    try:
        text = own_repr(value, view.limits.block + 1)
    except BaseException as error:
        pass_interrupt(error)
        # The short form includes the error.
        return Value(brief(value), class_name(value))
    if "\n" not in text and len(text) <= 2 * view.limits.cell:
        # The repr isn't called a second time: it may be slow.
        return Value(text if is_told_by_repr(value) else brief(value, 2 * view.limits.cell), class_name(value))
    return Section(class_name(value), (), Text(text))


@register(lambda value: any(hasattr(type(value), name) for name in ("_repr_mimebundle_", *_METHODS.values())))
def show_rich(value: Any, view: View) -> Any:
    """Show an object by the best of its rich reprs; its markup is sandboxed."""
    bundle = _bundle(value)
    html, text = bundle.get("text/html"), bundle.get("text/plain")
    if _is_ours(type(value)) and isinstance(html, str):
        own = TrustedHtml(text if isinstance(text, str) else brief(value), html)
        extra = tuple((k, v) for k, v in bundle.items() if k not in ("text/html", "text/plain"))
        return Rich(own, extra)
    part = _richest(bundle, view)
    if isinstance(part, Html):
        part = Html(part.source, _plain_words(value, text, view))
    return NotImplemented if part is None else Section(class_name(value), (), part)


def _is_ours(cls: type) -> bool:
    """Whether the class is flytenb's own."""
    return cls.__module__.partition(".")[0] == "flytenb"


def _bundle(value: Any) -> dict[str, Any]:
    """Return the object's MIME data; methods are looked up on its class, since `__getattr__` may return anything."""
    cls, found = type(value), {}
    if hasattr(cls, "_repr_mimebundle_"):
        made = value._repr_mimebundle_(include=None, exclude=None)
        data = made[0] if isinstance(made, tuple) and made else made
        if isinstance(data, Mapping):
            found.update({k: v for k, v in data.items() if v is not None})
    for mime, method in _METHODS.items():
        if mime not in found and hasattr(cls, method):
            made = getattr(value, method)()
            data = made[0] if isinstance(made, tuple) and made else made
            if data is not None:
                found[mime] = data
    return found


def _said(value: Any, view: View) -> str:
    """Return the `__str__` of an object without a repr, if it has one."""
    cls: Any = type(value)
    if cls.__str__ is object.__str__:
        return ""
    try:
        return str(cls.__str__(value))[: view.limits.block]
    except BaseException as error:
        pass_interrupt(error)
        return ""


def _plain_words(value: Any, text: Any, view: View) -> str:
    """Return an object's text form if it has one, as the visible text of markup may be incomplete."""
    if isinstance(text, str) and text.strip():
        return text
    try:
        words = "" if has_no_repr(type(value)) else own_repr(value, view.limits.block)
    except BaseException as error:
        pass_interrupt(error)
        return ""
    return words if "\n" in words else ""


def _richest(bundle: dict[str, Any], view: View) -> Part | None:
    html = bundle.get("text/html")
    has_live_markup = isinstance(html, str) and "<script" in html.lower()
    # Markup that needs scripts is empty in a sandbox, so an image is preferred.
    for mime in ("image/png", "image/jpeg", "image/svg+xml"):
        picture = _picture(bundle.get(mime), mime)
        if picture is not None and (has_live_markup or not isinstance(html, str)):
            return picture
    if isinstance(html, str) and html.strip():
        return Html(html)
    if isinstance(markdown := bundle.get("text/markdown"), str):
        return Text(markdown, "markdown")
    if isinstance(latex := bundle.get("text/latex"), str):
        return Text(latex, "code")
    if "application/json" in bundle:
        return view.show(bundle["application/json"])
    return Text(text) if isinstance(text := bundle.get("text/plain"), str) and text else None


def _picture(data: Any, mime: str) -> Part | None:
    if isinstance(data, str) and mime == "image/svg+xml":
        return Picture(data.encode(), mime)
    if isinstance(data, str):
        data = binascii.a2b_base64(data)
    return Picture(data, mime) if isinstance(data, bytes) and data else None
