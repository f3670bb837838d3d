"""What arrows must not pass through: boxes, labels, and the titles of frames."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise

from flytenb.render.layout import Curve, Point, Positions
from flytenb.render.scene import Scene
from flytenb.render.shapes import TITLE_HEIGHT, TITLE_TOP

Rect = tuple[float, float, float, float]
_ROW = 64.0
_PARTS = 8
TOUCH = 1.5
"""Pixels of a rectangle that an arrow may pass."""


class Obstacles:
    """The rectangles of boxes, labels and titles, by their DOT names, found by place."""

    def __init__(self, rects: Iterable[tuple[str, Rect]]) -> None:
        self._rows: dict[int, list[tuple[str, Rect]]] = {}
        for name, rect in rects:
            self.add(name, rect)

    def add(self, name: str, rect: Rect) -> None:
        """Add a rectangle."""
        for row in range(int(rect[1] // _ROW), int(rect[3] // _ROW) + 1):
            self._rows.setdefault(row, []).append((name, rect))

    def remove(self, name: str, rect: Rect) -> None:
        """Remove a rectangle."""
        for row in range(int(rect[1] // _ROW), int(rect[3] // _ROW) + 1):
            self._rows[row].remove((name, rect))

    def hit(self, start: Point, end: Point, ends: Collection[str], room: float) -> Iterator[str]:
        """Yield the rectangles, enlarged by `room` and without those at the ends, through which a line runs."""
        low, high = sorted((start[1], end[1]))
        left, right = sorted((start[0], end[0]))
        for row in range(int((low - room) // _ROW), int((high + room) // _ROW) + 1):
            for name, (x0, y0, x1, y1) in self._rows.get(row, ()):
                if x0 - room >= right or x1 + room <= left or y0 - room >= high or y1 + room <= low or name in ends:
                    continue
                if cuts(start, end, (x0, y0, x1, y1), room):
                    yield name


def rects_of(scene: Scene, at: Positions) -> Iterator[tuple[str, Rect]]:
    """Yield the rectangle of each box, label and title.

    The name of a title is `t` with the number of its frame; a part of it on the other side of arrows has an `s`.
    """
    for box in scene.boxes:
        yield f"n{box.number}", around(at.boxes[f"n{box.number}"], box.width, box.height)
    for arrow in scene.arrows:
        if arrow.label:
            yield f"l{arrow.number}", around(at.boxes[f"l{arrow.number}"], *arrow.label_size)
    for frame in scene.frames:
        left, top, right, _ = at.frames[f"cluster_{frame.number}"]
        start, y = at.titles.get(frame.number, left + 12), top + TITLE_TOP
        state = at.states.get(frame.number)
        width = frame.title_width if state is None else frame.name_width
        yield f"t{frame.number}", (start, y, min(start + width, right), y + TITLE_HEIGHT)
        if state is not None:
            yield f"s{frame.number}", (state, y, right, y + TITLE_HEIGHT)


def passes_boxes(scene: Scene, at: Positions) -> bool:
    """Tell whether an arrow passes a box, a label or a title other than those at its ends."""
    obstacles = Obstacles(rects_of(scene, at))
    return any(
        next(obstacles.hit(start, end, ends, -TOUCH), "")
        for ends, ways in at.arrows.items()
        for way in ways
        for start, end in pairwise(points_of(way))
    )


def points_of(way: Curve, parts: int = _PARTS) -> list[Point]:
    """Return points on a curve of cubic Bézier segments."""
    found = [(way[0], way[1])]
    for i in range(0, len(way) - 7, 6):
        x0, y0, x1, y1, x2, y2, x3, y3 = way[i : i + 8]
        for a, b, c, d in _weights(parts):
            found.append((a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3))
    return found


@cache
def _weights(parts: int) -> list[tuple[float, float, float, float]]:
    """Return the weights of the four points of a Bézier segment in each point on the curve."""
    steps = (step / parts for step in range(1, parts + 1))
    return [((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3) for t in steps]


def count_crossings(one: Sequence[Point], other: Sequence[Point]) -> int:
    """Return how often two lines cross."""
    found = 0
    for (ax, ay), (bx, by) in pairwise(one):
        left, right = (ax, bx) if ax < bx else (bx, ax)
        low, high = (ay, by) if ay < by else (by, ay)
        dx, dy = bx - ax, by - ay
        for (cx, cy), (ex, ey) in pairwise(other):
            if (cx < left and ex < left) or (cx > right and ex > right):
                continue
            if (cy < low and ey < low) or (cy > high and ey > high):
                continue
            if (dx * (cy - ay) - dy * (cx - ax)) * (dx * (ey - ay) - dy * (ex - ax)) < 0:
                fx, fy = ex - cx, ey - cy
                found += (fx * (ay - cy) - fy * (ax - cx)) * (fx * (by - cy) - fy * (bx - cx)) < 0
    return found


def around(centre: Point, width: float, height: float) -> Rect:
    """Return the rectangle around a point."""
    x, y = centre
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def cuts(start: Point, end: Point, rect: Rect, room: float = 0.0) -> bool:
    """Whether a part of a line is inside a rectangle that is enlarged by `room`."""
    first, last = _shares_inside(start, end, rect, room)
    return first < last


def clip(start: Point, end: Point, rect: Rect) -> tuple[Point, Point]:
    """Return where a line that cuts a rectangle enters and leaves it."""
    (x, y), (to_x, to_y) = start, end
    first, last = ((x + share * (to_x - x), y + share * (to_y - y)) for share in _shares_inside(start, end, rect, 0.0))
    return first, last


def _shares_inside(start: Point, end: Point, rect: Rect, room: float) -> tuple[float, float]:
    """Return the shares of a line before and until the end of its part in a rectangle; there is none if they fall."""
    (x, y), (left, top, right, bottom) = start, rect
    dx, dy = end[0] - x, end[1] - y
    first, last = 0.0, 1.0
    for step, low, high in ((dx, left - room - x, right + room - x), (dy, top - room - y, bottom + room - y)):
        if step == 0:
            if low >= 0 or high <= 0:
                return 1.0, 0.0
            continue
        enter, leave = (low / step, high / step) if step > 0 else (high / step, low / step)
        first, last = max(first, enter), min(last, leave)
    return first, last
