"""The line with the fewest turns through passages: intervals of horizontal lines, one below the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import atan2, dist, hypot, inf, pi, sin

from flytenb.render.layout import Curve, Point
from flytenb.render.rounding import rounded

_TURN_COST = 250.0
"""Pixels by which an arrow may be longer, rather than that it turns by one more right angle."""
_CUT, _LONGEST_TURN = 2.5, 45.0
"""Most pixels between the corner of a line and the curve that rounds it, and before and after it in which it turns."""
_NEARLY = 1e-6
"""Pixels across for each pixel down by which a line may miss a passage, because numbers are rounded."""
_PLACES = 6
"""Number of intervals between the places that are tried for an end of an arrow."""

Passage = tuple[float, float, float]
"""The height of a horizontal line, and the left and the right end of the interval that is free."""
_Line = tuple[float, float | None, list[Point]]
"""A line through passages: what it costs, its last direction if it has one, and its points."""


def line_through(free: Sequence[Passage], start_x: float, end_x: float) -> list[Point]:
    """Return the line through passages that costs least: its length, its turns, and its ends' distance from two places.

    Args:
        free: the passages, from the top; the line begins at the first and ends at the last.
        start_x: where the line should begin, if that is free.
        end_x: where it should end.
    """
    last = len(free) - 1
    ends = [[(x, free[i][0]) for x in _places(near, *free[i][1:])] for i, near in ((0, start_x), (last, end_x))]
    straight = [
        (dist(start, end) + abs(start[0] - start_x) / 4 + abs(end[0] - end_x) / 4, [start, end])
        for start in ends[0]
        for low, high in (_slopes(start, free[1:last]),)
        for end in ends[1]
        if low <= (end[0] - start[0]) / (end[1] - start[1]) <= high
    ]
    if straight:
        return min(straight)[1]
    inner = ([(left, y), (right, y)] if left < right else [(left, y)] for y, left, right in free[1:last])
    points = [ends[0], *inner, ends[1]]
    found: list[list[list[_Line]]] = [[[] for _ in at] for at in points]
    found[0] = [[(abs(x - start_x) / 4, None, [(x, y)])] for x, y in points[0]]
    for number in range(last):
        for start, lines in zip(points[number], found[number], strict=True):
            if not lines:
                continue
            low, high = -inf, inf
            for further in range(number + 1, last + 1):
                for end, its in zip(points[further], found[further], strict=True):
                    dx, dy = end[0] - start[0], end[1] - start[1]
                    if low - _NEARLY <= dx / dy <= high + _NEARLY:
                        its.append(_longer(lines, end, atan2(dy, dx), hypot(dx, dy)))
                y, left, right = free[further]
                low, high = max(low, (left - start[0]) / (y - start[1])), min(high, (right - start[0]) / (y - start[1]))
                if low > high + _NEARLY:
                    break
    arrived = ((cost + abs(line[-1][0] - end_x) / 4, line) for its in found[last] for cost, _, line in its)
    return min(arrived)[1]


def _places(near: float, left: float, right: float) -> list[float]:
    """Return places for an end of an arrow in an interval; one is as near as possible to where it should be."""
    return [min(max(near, left), right), *(left + i * (right - left) / _PLACES for i in range(_PLACES + 1))]


def _slopes(start: Point, free: Iterable[Passage]) -> tuple[float, float]:
    """Return the least and the most pixels across for each pixel down of a line that passes all passages."""
    low, high = -inf, inf
    for y, left, right in free:
        low, high = max(low, (left - start[0]) / (y - start[1])), min(high, (right - start[0]) / (y - start[1]))
    return low, high


def _longer(lines: Iterable[_Line], end: Point, angle: float, length: float) -> _Line:
    """Return the line that costs least when it is continued to a point."""
    cost, line = inf, [end]
    for before, turned, points in lines:
        new = before + (0.0 if turned is None else abs(angle - turned) / (pi / 2) * _TURN_COST)
        if new < cost:
            cost, line = new, points
    return cost + length, angle, [*line, end]


def rounded_turns(line: Sequence[Point]) -> Curve:
    """Return a line with its corners rounded as far as it keeps its distance from boxes."""
    turns = []
    for before, corner, after in zip(line, line[1:], line[2:], strict=False):
        (x, y), (from_x, from_y), (to_x, to_y) = corner, before, after
        turn = abs(atan2(to_y - y, to_x - x) - atan2(y - from_y, x - from_x))
        far = min(2 * _CUT / max(sin(turn / 2), 0.01), _LONGEST_TURN)
        turns.append(min(far, 0.45 * dist(before, corner), 0.45 * dist(corner, after)))
    return rounded(line, turns)
