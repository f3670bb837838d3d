"""Changes to a layout that an engine found: titles of frames move out of the way of arrows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from flytenb.render.layout import Curve, Positions
from flytenb.render.scene import Scene
from flytenb.render.shapes import Frame

_INSET, _BAND = 12.0, 26.0
"""Distance of a title from the left border of its frame, and the height of the part of a frame that is kept for it."""
_GAP = 6.0
"""Pixels between a title and an arrow."""
_ICON = 26.0
_STATE = 60.0
"""Pixels that a state takes after the name of a frame."""
_STEPS = 8


def polish(scene: Scene, at: Positions) -> Positions:
    """Return the positions with a place for the title of each frame that an arrow enters from above."""
    if not scene.frames:
        return at
    curves = [way for ways in at.arrows.values() for way in ways]
    titles = {}
    for frame in scene.frames:
        left, top, right, _ = at.frames[f"cluster_{frame.number}"]
        taken = sorted(x for way in curves for x in _crossings(way, left, top, right))
        if taken:
            titles[frame.number] = _free_place(frame, left + _INSET, right - _ICON, taken)
    return replace(at, titles=titles)


def _free_place(frame: Frame, start: float, end: float, taken: list[float]) -> float:
    """Return where a title begins: at the first gap between arrows for all of it or for the name, else the start."""
    for width in (max(frame.title.width, frame.name_width + _STATE), frame.name_width):
        place = start
        for x in taken:
            if x > place + width + _GAP:
                break
            place = max(place, x + _GAP)
        if place + width + _GAP <= end:
            return place
    return start


def _crossings(way: Curve, left: float, top: float, right: float) -> Iterator[float]:
    """Yield the x at which a curve is in the band of a title, at a few points."""
    xs, ys = way[::2], way[1::2]
    if min(ys) > top + _BAND or max(ys) < top or min(xs) > right or max(xs) < left:
        return
    for i in range(0, len(xs) - 3, 3):
        for step in range(_STEPS + 1):
            t = step / _STEPS
            a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            y = a * ys[i] + b * ys[i + 1] + c * ys[i + 2] + d * ys[i + 3]
            x = a * xs[i] + b * xs[i + 1] + c * xs[i + 2] + d * xs[i + 3]
            if top - 4 <= y <= top + _BAND and left <= x <= right:
                yield x
