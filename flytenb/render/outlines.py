"""Outlines of boxes and frames as SVG elements."""

from __future__ import annotations

from flytenb.model import Kind
from flytenb.render.paint import band_look
from flytenb.render.shapes import LEFT, Box

SHAPE = 'class="ft-shape" '
"""Class of the elements with the colour of a phase."""


def outline(box: Box, left: float, top: float, css: str, look: str) -> str:
    """Return the elements of a box's outline, each with a class and the attributes `look`."""
    w, h = box.width, box.height
    if box.shape == "box":
        return rect(left, top, w, h, 6, css, look)
    if box.shape == "branch":
        edge, mid = LEFT, top + h / 2
        return (
            f'<path {css}d="M{left:.1f} {mid:.1f}L{left + edge:.1f} {top:.1f}H{left + w - edge:.1f}'
            f'L{left + w:.1f} {mid:.1f}L{left + w - edge:.1f} {top + h:.1f}H{left + edge:.1f}Z"{look}/>'
        )
    if box.shape == "gate":
        c = 9
        return (
            f'<path {css}d="M{left + c:.1f} {top:.1f}h{w - 2 * c:.1f}l{c} {c}v{h - 2 * c:.1f}l{-c} {c}'
            f'h{2 * c - w:.1f}l{-c} {-c}v{2 * c - h:.1f}Z"{look}/>'
        )
    if box.shape in (Kind.INPUTS, Kind.OUTPUTS):
        return rect(left, top, w, h, min(h / 2, 12.5), css, look)
    if box.shape == "constant":
        return rect(left, top, w, h, 4, css, look)
    return "".join(rect(left + by, top + by, w, h, 6, css, look) for by in (6, 3, 0))


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
