"""What is in frames and beside them, for frames whose sides are moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from flytenb.render.clearance import Rect, around, cuts, points_of
from flytenb.render.layout import Point, Positions
from flytenb.render.scene import Scene

_APART = 8.0
"""Least pixels between a frame whose sides were moved and what is beside it."""
_AT_BORDER = 2.0
"""Most pixels between a border and the end of an arrow to it."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A part of an arrow: the frames around its start, around its end and around both, and the frames it ends at."""

    start: frozenset[int]
    end: frozenset[int]
    points: Sequence[Point]
    borders: Sequence[tuple[int | None, Point]]


class Surroundings:
    """The boxes, labels and arrows of a layout, with the frames around them.

    Attributes:
        outer: the number of the frame around each frame.
    """

    def __init__(self, scene: Scene, at: Positions) -> None:
        self.outer = {frame.number: frame.frame for frame in scene.frames}
        within = [frozenset(self.around(box.frame)) for box in scene.boxes]
        self._rects = [
            (within[box.number], around(at.boxes[f"n{box.number}"], box.width, box.height)) for box in scene.boxes
        ]
        self._lines: list[_Line] = []
        ways = {ends: iter(found) for ends, found in at.arrows.items()}
        for arrow in scene.arrows:
            start, end = within[arrow.tail], within[arrow.head]
            if arrow.label:
                self._rects.append((start & end, around(at.boxes[f"l{arrow.number}"], *arrow.label_size)))
            points = [point for leg in arrow.legs for point in points_of(next(ways[leg]))]
            borders = ((arrow.tail_frame, points[0]), (arrow.head_frame, points[-1]))
            self._lines.append(_Line(start, end, points, borders))

    def around(self, number: int | None) -> Iterator[int]:
        """Yield a frame and those around it, from the inside."""
        while number is not None:
            yield number
            number = self.outer[number]

    def sides_of(self, number: int, frames: Mapping[str, Rect]) -> tuple[float, float]:
        """Return the left and right end of what is in a frame; an arrow through its border isn't."""
        rects = [rect for within, rect in self._rects if number in within]
        rects += [frames[f"cluster_{inner}"] for inner, outer in self.outer.items() if outer == number]
        inner = [x for line in self._lines if number in line.start & line.end for x, _ in line.points]
        return min([*inner, *(x for x, *_ in rects)]), max([*inner, *(x for _, _, x, _ in rects)])

    def is_free(self, number: int, rect: Rect, frames: Mapping[str, Rect]) -> bool:
        """Whether the sides of a frame may move to those of a rectangle: nothing is there, and no arrow ends there.

        Args:
            number: the frame.
            rect: where it would be.
            frames: where all frames are now.
        """
        left, top, right, bottom = frames[f"cluster_{number}"]
        low, high = top - _APART, bottom + _APART
        strips = [(rect[0] - _APART, low, left, high), (right, low, rect[2] + _APART, high)]
        strips = [strip for strip in strips if strip[2] - strip[0] > _APART]
        others = [other for within, other in self._rects if number not in within]
        others += [frames[f"cluster_{other}"] for other in self.outer if not self._are_nested(number, other)]
        if any(_overlap(strip, other) for strip in strips for other in others):
            return False
        for line in self._lines:
            if number not in line.start | line.end and any(
                cuts(a, b, strip) for a, b in pairwise(line.points) for strip in strips
            ):
                return False
            for frame, (x, y) in line.borders:
                is_at_top_or_bottom = min(abs(y - top), abs(y - bottom)) <= _AT_BORDER and rect[0] <= x <= rect[2]
                if frame == number and not is_at_top_or_bottom:
                    return False
        return True

    def _are_nested(self, one: int, other: int) -> bool:
        return one in self.around(other) or other in self.around(one)


def _overlap(one: Rect, other: Rect) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
