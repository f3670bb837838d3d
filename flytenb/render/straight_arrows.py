"""Straight arrows, where nothing is between the boxes at their ends; their labels are on them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, islice, pairwise
from math import atan2, hypot, pi

from flytenb.render.clearance import Obstacles, Rect, around, clip, count_crossings, cuts, points_of, rects_of
from flytenb.render.layout import Curve, Point, Positions
from flytenb.render.scene import Scene

Ends = tuple[str, str]
Key = tuple[Ends, int]
"""An arrow, or its part before or after a label: the names at its ends, and its number among those with the same."""
_ROOM = 4.0
"""Pixels between a straightened arrow and what it passes."""
_TOUCH = 1.0
"""Pixels of its own ends that a straightened arrow may touch."""
_STRAIGHT = 0.02
"""Right angles by which an arrow that counts as straight may turn."""
_FLATTEST = 3.0
"""Most pixels across for each pixel down of a straightened arrow."""
_CORNER = 16.0
"""Distance of the end of a straightened arrow from the corners of a box."""
_PARTS = 4
"""Lines that stand for a segment of a curve."""
_MOST_TRIED = 12
"""Free lines that are tried for an arrow."""
_SIDE = 4
"""Places for ends of arrows on each side of the middle of a box."""
_APART = 7.0
"""Pixels between the ends of two arrows at one box."""
_LABEL_ROOM = 3.0
"""Pixels between a label that was moved and what is beside it."""
_BEFORE, _AFTER = 5.0, 12.0
"""Least pixels of an arrow that are seen above and below a label that was moved; the tip is below."""


class Ground:
    """What an arrow of the picture may not pass."""

    def __init__(self, scene: Scene, at: Positions) -> None:
        self._rects = dict(rects_of(scene, at))
        self._walls = {f"cluster_{frame.number}": at.frames[f"cluster_{frame.number}"] for frame in scene.frames}
        self._obstacles = Obstacles((*self._rects.items(), *self._walls.items()))
        inside: dict[int | None, tuple[str, ...]] = {None: ()}
        for frame in scene.frames:  # outer before inner
            inside[frame.number] = (f"cluster_{frame.number}", *inside[frame.frame])
        self._around = {f"n{box.number}": inside[box.frame] for box in scene.boxes}
        for arrow in scene.arrows:
            if arrow.label:
                tail, head = (inside[scene.boxes[number].frame] for number in (arrow.tail, arrow.head))
                self._around[f"l{arrow.number}"] = tuple(dict.fromkeys((*tail, *head)))

    def straight_lines(
        self, ends: Ends, start: Point, end: Point, label: str | None = None
    ) -> Iterator[tuple[Point, Point]]:
        """Yield free lines between two boxes: with the ends that are given, then between other places of the boxes.

        Args:
            ends: the names of the boxes.
            start: where the arrow begins.
            end: where it ends.
            label: the name of its label, which may be on the lines.
        """
        if self.is_free(start, end, ends, label):
            yield start, end
        tail, head = ends
        low, high = self._rects[tail][3], self._rects[head][1]
        if high - low < _ROOM:
            return
        lines = [
            (abs(b[0] - a[0]) + abs(a[0] - start[0]) / 4 + abs(b[0] - end[0]) / 4, a, b)
            for a in self._places(tail, start, low)
            for b in self._places(head, end, high)
            if abs(b[0] - a[0]) <= _FLATTEST * (b[1] - a[1])
        ]
        yield from ((a, b) for _, a, b in sorted(lines) if self.is_free(a, b, ends, label))

    def _places(self, name: str, point: Point, y: float) -> list[Point]:
        """Return places for the end of an arrow, on the upper or lower border of a box; that of a label is fixed."""
        left, top, right, bottom = self._rects[name]
        x = (left + right) / 2
        if not (left - 2 <= point[0] <= right + 2 and top - 2 <= point[1] <= bottom + 2):
            return [point]  # at the border of a frame around the box
        if name.startswith("l"):
            return [(x, y)]
        half = max((right - left) / 2 - _CORNER, 0.0)
        return [(x + half * step / _SIDE, y) for step in (range(-_SIDE, _SIDE + 1) if half else (0,))]

    def is_free(self, start: Point, end: Point, ends: Ends, label: str | None = None) -> bool:
        """Whether nothing is near a line between two boxes or labels, and it doesn't run through these."""
        tail, head = ends
        passed = {tail, head, label or tail, *self._around[tail], *self._around[head]}
        return not (
            any(cuts(start, end, self._rects[name], -_TOUCH) for name in ends)
            or any(True for _ in self._obstacles.hit(start, end, passed, _ROOM))
        )

    def place_on(self, start: Point, end: Point, label: str) -> Rect | None:
        """Return where a label has room on a line: at its height, or in the middle."""
        left, top, right, bottom = self._rects[label]
        width, height = right - left, bottom - top
        if end[1] - start[1] < height + _BEFORE + _AFTER:
            return None
        for y in ((top + bottom) / 2, (start[1] + end[1]) / 2):
            share = (y - start[1]) / (end[1] - start[1])
            rect = around((start[0] + share * (end[0] - start[0]), y), width, height)
            if start[1] + _BEFORE <= rect[1] and rect[3] + _AFTER <= end[1] and self._has_room(rect, label):
                return rect
        return None

    def _has_room(self, rect: Rect, label: str) -> bool:
        x, y, to_x, to_y = rect
        left, top, right, bottom = x - _LABEL_ROOM, y - _LABEL_ROOM, to_x + _LABEL_ROOM, to_y + _LABEL_ROOM
        for name, (x0, y0, x1, y1) in (*self._rects.items(), *self._walls.items()):
            if x0 >= right or x1 <= left or y0 >= bottom or y1 <= top or name == label:
                continue
            is_within = x0 <= left and right <= x1 and y0 <= top and bottom <= y1
            if not (is_within and name in self._around[label]):
                return False
        return True

    def move(self, label: str, rect: Rect) -> None:
        """Move a label."""
        self._obstacles.remove(label, self._rects[label])
        self._rects[label] = rect
        self._obstacles.add(label, rect)


class _Arrows:
    """The arrows while they are straightened, each as a curve and as points."""

    def __init__(self, ways: Mapping[Ends, Sequence[Curve]]) -> None:
        self.ways = {ends: list(found) for ends, found in ways.items()}
        lines = {(ends, i): points_of(way, _PARTS) for ends, found in ways.items() for i, way in enumerate(found)}
        self.bent = {key for key, line in lines.items() if turning(line) >= _STRAIGHT}
        self.lines = {key: line if key in self.bent else [line[0], line[-1]] for key, line in lines.items()}
        self._bounds = {key: _bounds(line) for key, line in self.lines.items()}

    def crossings(self, line: Sequence[Point], *keys: Key) -> int:
        """Return how often other arrows cross a line in place of these."""
        return sum(count_crossings(line, self.lines[other]) for other in self._near(line, keys))

    def is_apart(self, line: Sequence[Point], ends: Ends, *keys: Key) -> bool:
        """Whether no other arrow begins or ends where a line between two boxes does, in place of these."""
        tail, head = ends
        return all(
            hypot(x - p, y - q) >= _APART
            for other in self._near(line, keys)
            for name, (x, y) in ((tail, line[0]), (head, line[-1]))
            for its, (p, q) in zip(other[0], (self.lines[other][0], self.lines[other][-1]), strict=True)
            if its == name
        )

    def passes(self, rect: Rect, *keys: Key) -> bool:
        """Whether another arrow than these passes a rectangle."""
        corners = [(rect[0], rect[1]), (rect[2], rect[3])]
        return any(
            cuts(a, b, rect, _LABEL_ROOM) for other in self._near(corners, keys) for a, b in pairwise(self.lines[other])
        )

    def straighten(self, key: Key, start: Point, end: Point) -> None:
        """Replace an arrow by a straight line."""
        (x, y), (to_x, to_y) = start, end
        dx, dy = (to_x - x) / 3, (to_y - y) / 3
        self.ways[key[0]][key[1]] = (x, y, x + dx, y + dy, to_x - dx, to_y - dy, to_x, to_y)
        self.lines[key] = [start, end]
        self._bounds[key] = _bounds(self.lines[key])

    def _near(self, line: Sequence[Point], keys: Collection[Key]) -> list[Key]:
        left, top, right, bottom = _bounds(line)
        return [
            other
            for other, (x0, y0, x1, y1) in self._bounds.items()
            if x0 <= right and left <= x1 and y0 <= bottom and top <= y1 and other not in keys
        ]


def straightened(scene: Scene, at: Positions) -> Positions:
    """Return the layout with each arrow as a straight line if one is free that crosses no more arrows."""
    ground, arrows, boxes = Ground(scene, at), _Arrows(at.arrows), dict(at.boxes)
    for arrow in scene.arrows:
        if arrow.label:
            label = f"l{arrow.number}"
            rect = _straighten_labelled(ground, arrows, (f"n{arrow.tail}", f"n{arrow.head}"), label)
            if rect is not None:
                boxes[label] = (rect[0] + rect[2]) / 2, (rect[1] + rect[3]) / 2
    for key in [key for key in arrows.lines if key in arrows.bent]:
        line, crossed = arrows.lines[key], -1
        for start, end in islice(ground.straight_lines(key[0], line[0], line[-1]), _MOST_TRIED):
            new = [start, end]
            crosses = arrows.crossings(new, key)
            if crosses and crossed < 0:
                crossed = arrows.crossings(line, key)
            if crosses <= max(crossed, 0) and arrows.is_apart(new, key[0], key):
                arrows.straighten(key, start, end)
                break
    return replace(at, arrows=arrows.ways, boxes=boxes)


def _straighten_labelled(ground: Ground, arrows: _Arrows, ends: Ends, label: str) -> Rect | None:
    """Replace both parts of an arrow by a straight line with the label on it; return where the label is then."""
    first, last = ((ends[0], label), 0), ((label, ends[1]), 0)
    if first not in arrows.lines or last not in arrows.lines:
        return None  # an arrow that an engine has turned, or one of several between two boxes
    parts = arrows.lines[first], arrows.lines[last]
    if turning([*parts[0], *parts[1]]) < _STRAIGHT:
        return None
    crossed = arrows.crossings(parts[0], first, last) + arrows.crossings(parts[1], first, last)
    for start, end in islice(ground.straight_lines(ends, parts[0][0], parts[1][-1], label), _MOST_TRIED):
        new = [start, end]
        if arrows.crossings(new, first, last) > crossed or not arrows.is_apart(new, ends, first, last):
            continue
        rect = ground.place_on(start, end, label)
        if rect is not None and not arrows.passes(rect, first, last):
            enter, leave = clip(start, end, rect)
            arrows.straighten(first, start, enter)
            arrows.straighten(last, leave, end)
            ground.move(label, rect)
            arrows.bent -= {first, last}
            return rect
    return None


def bends(ways: Mapping[Ends, Sequence[Curve]]) -> float:
    """Return how far all arrows turn altogether, in right angles."""
    return sum(turning(points_of(way, _PARTS)) for found in ways.values() for way in found)


def crossings(ways: Mapping[Ends, Sequence[Curve]]) -> int:
    """Return how often arrows cross each other."""
    lines = [points_of(way, _PARTS) for found in ways.values() for way in found]
    bounded = [(_bounds(line), line) for line in lines]
    return sum(
        count_crossings(one, other)
        for (a, one), (b, other) in combinations(bounded, 2)
        if a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]
    )


def turning(line: Sequence[Point]) -> float:
    """Return how far a line turns altogether, in right angles."""
    angles = [atan2(b[1] - a[1], b[0] - a[0]) for a, b in pairwise(line) if a != b]
    turns = (abs(b - a) for a, b in pairwise(angles))
    return sum(min(turn, 2 * pi - turn) for turn in turns) / (pi / 2)


def _bounds(line: Sequence[Point]) -> Rect:
    xs, ys = [x for x, _ in line], [y for _, y in line]
    return min(xs), min(ys), max(xs), max(ys)
