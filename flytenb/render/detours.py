"""Arrows around the frames that they would pass, where no order of the boxes has kept them out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, pairwise, permutations
from math import dist

from flytenb.render.clearance import TOUCH, Rect, cuts, points_of
from flytenb.render.layout import Curve, Point, Positions
from flytenb.render.rounding import rounded
from flytenb.render.scene import Scene
from flytenb.render.shapes import Arrow
from flytenb.render.straight_arrows import Ends, Ground

_APART = 8.0
"""Pixels between a corner of a frame and an arrow that turns there."""
_TURN = 12.0
"""Pixels before and after a corner in which an arrow turns."""


def around_frames(scene: Scene, at: Positions, crossed: Iterable[tuple[Arrow, int]]) -> Positions:
    """Return the layout with arrows led around frames, where nothing is in the way.

    Args:
        scene: the contents.
        at: their layout.
        crossed: arrows, each with the number of a frame that it passes.
    """
    ground, arrows = Ground(scene, at), {ends: list(ways) for ends, ways in at.arrows.items()}
    number, place = Counter[Ends](), {}
    for arrow in scene.arrows:
        for leg in arrow.legs:
            place[arrow.number, leg] = number[leg]
            number[leg] += 1
    for arrow, frame in crossed:
        rect = at.frames[f"cluster_{frame}"]
        for leg in arrow.legs:
            ways, i = arrows[leg], place[arrow.number, leg]
            if _passes(points_of(ways[i]), rect):
                ways[i] = next(_ways_around(ground, leg, ways[i], rect), ways[i])
    return replace(at, arrows=arrows)


def _passes(points: Iterable[Point], rect: Rect) -> bool:
    return any(cuts(start, end, rect, -TOUCH) for start, end in pairwise(points))


def _ways_around(ground: Ground, ends: Ends, way: Curve, rect: Rect) -> Iterator[Curve]:
    """Yield curves between the ends of another that turn at one or two corners of a rectangle, the shortest first."""
    left, top, right, bottom = rect
    corners = [(x, y) for x in (left - _APART, right + _APART) for y in (top - _APART, bottom + _APART)]
    start, end = (way[0], way[1]), (way[-2], way[-1])
    lines = [(start, *turns, end) for turns in chain(permutations(corners, 1), permutations(corners, 2))]
    for line in sorted(lines, key=_length):
        if not _passes(line, rect) and all(ground.is_free(a, b, ends) for a, b in pairwise(line)):
            yield rounded(line, [_TURN] * (len(line) - 2))


def _length(line: Sequence[Point]) -> float:
    return sum(dist(start, end) for start, end in pairwise(line))
