"""Outlines of boxes and frames as SVG elements."""

from __future__ import annotations

from flytenb.model import Kind
from flytenb.render.paint import band_look
from flytenb.render.shapes import LEFT, Box

SHAPE = 'class="ft-shape" '
"""Class of the elements with the colour of a phase."""
_CORNER = 9
"""Pixels that the outline of a gate leaves out at each corner."""


def outline(box: Box, left: float, top: float, css: str, look: str) -> str:
    """Return the elements of a box's outline, each with a class and the attributes `look`."""
    behind = (6, 3) if box.shape == "stack" else ()
    stacked = "".join(rect(left + by, top + by, box.width, box.height, 6, css, look) for by in behind)
    return stacked + front(box.shape, left, top, box.width, box.height, css, look)


def front(shape: str, left: float, top: float, width: float, height: float, css: str, look: str) -> str:
    """Return the element of an outline that is in front."""
    if shape == "branch":
        mid = top + height / 2
        return (
            f'<path {css}d="M{left:.1f} {mid:.1f}L{left + LEFT:.1f} {top:.1f}H{left + width - LEFT:.1f}'
            f'L{left + width:.1f} {mid:.1f}L{left + width - LEFT:.1f} {top + height:.1f}H{left + LEFT:.1f}Z"{look}/>'
        )
    if shape == "gate":
        c = _CORNER
        return (
            f'<path {css}d="M{left + c:.1f} {top:.1f}h{width - 2 * c:.1f}l{c} {c}v{height - 2 * c:.1f}l{-c} {c}'
            f'h{2 * c - width:.1f}l{-c} {-c}v{2 * c - height:.1f}Z"{look}/>'
        )
    radius = 4.0 if shape == "constant" else 6.0
    if shape in (Kind.INPUTS, Kind.OUTPUTS):
        radius = min(height / 2, 12.5)
    return rect(left, top, width, height, radius, css, look)


def edge(shape: str, left: float, top: float, height: float, look: str) -> str:
    """Return the left edge of an outline as a coloured area inside of the line."""
    x, y, h = left + 1, top + 1, height - 2
    if shape == "branch":
        slope = (LEFT - 1) / (h / 2)
        way = f"M{x + LEFT - 1:.1f} {y:.1f}l{-slope * h / 2:.1f} {h / 2:.1f}l{slope * h / 2:.1f} {h / 2:.1f}h7"
        return f'<path d="{way}l{-slope * h / 2:.1f} {-h / 2:.1f}l{slope * h / 2:.1f} {-h / 2:.1f}z"{look}/>'
    if shape == "gate":
        return f'<path d="M{x + 6:.1f} {y + 2:.1f}l-6 6v{h - 16:.1f}l6 6z"{look}/>'
    return f'<path d="M{x + 6:.1f} {y:.1f}h-1a5 5 0 0 0-5 5v{h - 10:.1f}a5 5 0 0 0 5 5h1z"{look}/>'


def band(box: Box, left: float, top: float) -> str:
    """Return the coloured left edge of a box; other outlines have none."""
    if box.shape not in ("box", "stack"):
        return ""
    return (
        f'<path class="ft-band" d="M{left + 6:.1f} {top:.1f}h-1a5 5 0 0 0-5 5'
        f'v{box.height - 10:.1f}a5 5 0 0 0 5 5h1q-2-1-2-4v{8 - box.height:.1f}q0-3 2-4z"{band_look(box.node.kind)}/>'
    )


def rect(x: float, y: float, width: float, height: float, radius: float, css: str, look: str) -> str:
    """Return a rectangle with a class and the attributes `look`."""
    size = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius:g}"'
    return f"<rect {css}{size}{look}/>"
