"""`show`: a value as text and HTML by the built-in and registered displays."""

from __future__ import annotations

from typing import Any

from flytenb.display import values as _built_in  # noqa: F401  (importing it fills the built-in registry)
from flytenb.display.limits import Limits
from flytenb.display.registry import REGISTRY, Registry
from flytenb.display.rendering import STANDARD, Rendering, render_value
from flytenb.display.selection import Selections


def show(
    value: Any,
    declared: Any = None,
    *,
    name: str = "",
    limits: Limits = STANDARD,
    registry: Registry = REGISTRY,
    selections: Selections | None = None,
) -> Rendering:
    """Return a value as text and HTML, by its declared type, a registered display, its own repr or its short form.

    Never raises and never exceeds the limits: a display that fails is skipped and named in a note.

    Args:
        value: the value. Nothing remote is fetched and nothing lazy is computed.
        declared: its declared type, if any; `Annotated` renderers and type transformers are used.
        name: the value's name, e.g. of an output.
        limits: how much is shown.
        registry: where displays are looked up.
        selections: the reader's choices; None for a static display.
    """
    return render_value(value, declared, registry=registry, name=name, limits=limits, selections=selections)
