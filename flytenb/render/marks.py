"""Marks on boxes and frames: the colour of a user's style, and the outline of the node that a part was asked for."""

from __future__ import annotations

from collections.abc import Mapping

from flytenb.render.contrast import tint
from flytenb.render.outlines import edge, front, rect
from flytenb.render.theme import COLOURS

_OUTSIDE = 3.5
"""Pixels between a box and the outline around it."""


def marks_of(settings: Mapping[str, object], shape: str, left: float, top: float, width: float, height: float) -> str:
    """Return the marks of a node as SVG, with presentation attributes only.

    Args:
        settings: of the node.
        shape: the outline, as of a `Box`; `frame` for an open container.
        left: of the outline, in pixels.
        top: of the outline.
        width: of the outline.
        height: of the outline.
    """
    found = ""
    if "colour" in settings:
        colour = str(settings["colour"])
        # Capital letters: the dark theme replaces its own light colours, which it finds by their small ones.
        paint = f' fill="{colour.upper()}" stroke="none"'
        if shape != "frame":  # around the boxes of others, whose borders would be seen less
            found += front(shape, left, top, width, height, "", f'{paint} fill-opacity="{tint(colour):g}"')
        found += edge(shape, left, top, height, paint)
    if settings.get("asked"):
        size = left - _OUTSIDE, top - _OUTSIDE, width + 2 * _OUTSIDE, height + 2 * _OUTSIDE
        found += rect(*size, 8, "", f' fill="none" stroke="{COLOURS["accent"][0]}" stroke-width="2"')
    return found
