"""Marks on boxes and frames: the colour of a user's style, and the outline of the node that a part was asked for."""

from __future__ import annotations

from collections.abc import Mapping

_OUTSIDE = 3.5
"""Pixels between a box and the outline around it."""


def marks_of(settings: Mapping[str, object], left: float, top: float, width: float, height: float) -> str:
    """Return the marks of a node as SVG, with presentation attributes only."""
    found = ""
    if colour := settings.get("colour"):
        found += _rect(left, top, width, height, 6, f'fill="{colour}" fill-opacity=".13" stroke="none"')
        found += _rect(left, top, 6, height, 3, f'fill="{colour}" stroke="none"')
    if settings.get("asked"):
        size = left - _OUTSIDE, top - _OUTSIDE, width + 2 * _OUTSIDE, height + 2 * _OUTSIDE
        found += _rect(*size, 8, 'fill="none" stroke="#6a4fc9" stroke-width="2"')
    return found


def _rect(x: float, y: float, width: float, height: float, radius: float, look: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius:g}" {look}/>'
