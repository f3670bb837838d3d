"""Lines as curves with round corners."""

from __future__ import annotations

from collections.abc import Sequence
from math import dist

from flytenb.render.layout import Curve, Point


def rounded(line: Sequence[Point], turns: Sequence[float]) -> Curve:
    """Return a line as a curve with rounded corners.

    Args:
        line: the start, the corners and the end.
        turns: pixels before and after each corner in which the curve turns, at most half of a part of the line.
    """
    points = [line[0]]
    for before, corner, after, far in zip(line, line[1:], line[2:], turns, strict=False):
        points += [_towards(corner, before, far), corner, _towards(corner, after, far)]
    points.append(line[-1])
    curve = [*points[0]]
    for i in range(0, len(points) - 1, 3):
        start, end = points[i], points[i + 1]
        curve += [*_between(start, end, 1 / 3), *_between(start, end, 2 / 3), *end]
        if i + 3 < len(points):
            corner, end = points[i + 2], points[i + 3]
            curve += [*_between(points[i + 1], corner, 2 / 3), *_between(end, corner, 2 / 3), *end]
    return tuple(curve)


def _towards(corner: Point, end: Point, far: float) -> Point:
    return _between(corner, end, min(far / max(dist(corner, end), 1.0), 0.5))


def _between(start: Point, end: Point, share: float) -> Point:
    return start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])
