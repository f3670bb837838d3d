"""Places in fixed ranks at which arrows turn little, and these arrows.

An engine decides the order in each rank, of boxes and of the arrows that pass it. Boxes and arrows are then moved
sideways until arrows are as steep and straight as the order allows, ranks with flat arrows between them are moved
apart, and each arrow is led between its neighbours in all ranks that it passes by the line with the fewest turns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, pairwise

from flytenb.render.clearance import points_of, rects_of
from flytenb.render.layout import Curve, Point, Positions
from flytenb.render.part_rows import Ends, PartRows, Rows
from flytenb.render.passages import line_through, rounded_turns
from flytenb.render.scene import Scene

_BOXES_APART, _BOX_APART, _ARROWS_APART = 12.0, 7.0, 5.0
"""Least pixels between two boxes of a rank, between a box and an arrow that passes the rank, and between two arrows."""
_CORNER, _ENDS_APART = 12.0, 8.0
"""Least pixels between the end of an arrow and the corners of its box, and between the ends of two arrows at a box."""
_CLEAR = 4.0
"""Pixels between a rank and the height above or below it where an arrow may turn."""
_LEAST_GAP, _WIDEST_GAP = 18.0, 48.0
"""Least and most pixels between two ranks."""
_FLATTEST = 6.0
"""Pixels across for each pixel down of an arrow for which ranks are moved apart."""
_SWEEPS = 16
"""How often all ranks are moved; more make no visible difference."""
_STRAIGHTNESS = 20.0
"""Weight of an arrow's turns, relative to that of its distance across in each rank."""

_Key = tuple[tuple[str, str], int]
"""An arrow: the names at its ends, and its number among those with the same."""


@dataclass(eq=False, slots=True)
class _Item:
    """A box in a rank, or, without a name, the place where an arrow passes a rank.

    Its wishes are places relative to those of items in other ranks, with weights.
    """

    x: float
    half: float = 0.0
    name: str = ""
    ends: Ends = ("", "")
    wishes: list[tuple[float, tuple[tuple[_Item, float], ...]]] = field(default_factory=list)

    def wish(self) -> tuple[float, float]:
        """Return the mean of the wished places, and the sum of their weights."""
        total = sum(weight for weight, _ in self.wishes)
        if not total:
            return self.x, 1.0
        return sum(weight * share * item.x for weight, parts in self.wishes for item, share in parts) / total, total


@dataclass(eq=False, slots=True)
class _Passages:
    """The intervals of a horizontal line in which arrows cross it or end, from the left, at least so far apart."""

    y: float
    apart: float
    intervals: list[tuple[float, float]]

    def use(self, number: int, x: float) -> None:
        """Keep the others away from where an arrow crosses the line."""
        for i, (left, right) in enumerate(self.intervals):
            limit = x + (i - number) * self.apart
            if i < number:
                self.intervals[i] = left, max(min(right, limit), left)
            else:
                self.intervals[i] = (min(max(left, limit), right), right) if i > number else (x, x)


_Way = list[tuple[_Passages, int]]
"""The lines that an arrow crosses from its start to its end, each with the number of its interval."""


def aligned(scene: Scene, at: Positions, width: float, parts: Rows = ()) -> Positions | None:
    """Return a layout with the ranks of another and the same order in each, or None if a rank has no room for that.

    Args:
        scene: the contents, without frames.
        at: their layout, in which all arrows go down.
        width: the most pixels of a rank.
        parts: rows of parts that begin at the left, and are alike where they have one shape.
    """
    rows = _Rows(scene, at, parts)
    return rows.positions() if rows.align(width) else None


class _Rows:
    """The boxes in each rank and the arrows that pass it, from the left."""

    def __init__(self, scene: Scene, at: Positions, parts: Rows) -> None:
        self._size = {name: (x1 - x0, y1 - y0) for name, (x0, y0, x1, y1) in rects_of(scene, at)}
        heights = sorted({at.boxes[name][1] for name in self._size})
        number = {y: i for i, y in enumerate(heights)}
        self._rank = {name: number[at.boxes[name][1]] for name in self._size}
        self._parts = PartRows(parts, self._rank, at.arrows)
        self._box = {
            name: _Item(at.boxes[name][0], width / 2, name, (name, name)) for name, (width, _) in self._size.items()
        }
        self._rows: list[list[_Item]] = [[] for _ in heights]
        for name, item in self._box.items():
            self._rows[self._rank[name]].append(item)
        self._chains: dict[_Key, list[_Item]] = {}
        """Each arrow as its boxes and the places between them."""
        for (tail, head), ways in at.arrows.items():
            for i, way in enumerate(ways):
                points = points_of(way)
                between = []
                for row in range(self._rank[tail] + 1, self._rank[head]):
                    between.append(_Item(_across(points, heights[row]), ends=(tail, head)))
                    self._rows[row].append(between[-1])
                self._chains[(tail, head), i] = items = [self._box[tail], *between, self._box[head]]
                if self._parts.are_together((tail, head)):
                    _add_wishes(items)
                elif self._parts.is_near((tail, head)):
                    hub, other = (items[0], items[-1]) if head in self._parts.row else (items[-1], items[0])
                    hub.wishes.append((1.0, ((other, 1.0),)))
        for row, items in enumerate(self._rows):
            items.sort(key=lambda item: item.x)
            items.sort(key=partial(self._order, row))
        self._tops: list[float] = []
        self._bottoms: list[float] = []

    def _order(self, rank: int, item: _Item) -> tuple[float, ...]:
        return self._parts.order(rank, item.ends, item.x)

    def align(self, width: float) -> bool:
        """Move all items sideways as they wish, or return False if a rank would be too wide.

        Each rank is moved to where it is best in the least squares, in turn, downwards and upwards.
        """
        ranks = [(rank, _offsets(rank)) for rank in self._rows]
        if any(rank[0].half + offsets[-1] + rank[-1].half > width for rank, offsets in ranks):
            return False
        self._pack(ranks, width)
        for sweep in range(_SWEEPS):
            for rank, offsets in ranks if sweep % 2 else reversed(ranks):
                wished = [item.wish() for item in rank]
                low, high = rank[0].half, width - offsets[-1] - rank[-1].half
                places = _rising((x - offset, weight) for (x, weight), offset in zip(wished, offsets, strict=True))
                for item, place, offset in zip(rank, places, offsets, strict=True):
                    item.x = min(max(place, low), high) + offset
        self._straighten_chains(ranks, width)
        self._move_rows()
        left = min((rank[0].x - rank[0].half for rank in self._rows), default=0.0)
        for item in chain(*self._rows):
            item.x -= left
        self._place_ranks()
        return self._width <= width

    def _pack(self, ranks: Sequence[tuple[list[_Item], list[float]]], width: float) -> None:
        """Put parts as far to the left as they can be, and the arrows that pass beside them to both sides."""
        for numbers in self._parts.ranks:
            for number in numbers:
                for item, offset in zip(*ranks[number], strict=True):
                    item.x = offset + self._parts.side(number, item.ends) * width

    def _move_rows(self) -> None:
        """Move rows of parts to the left, and the arrows that pass after them to the right of all."""
        if not self._parts.ranks:
            return
        rows = [[self._regions(number) for number in numbers] for numbers in self._parts.ranks]
        start = max(len(before) for row in rows for before, _, _ in row) * _ARROWS_APART + _BOX_APART
        for row in rows:
            inner = [item for _, items, _ in row for item in items]
            left = min(item.x - item.half for item in inner)
            for item in inner:
                item.x += start - left
        right = max(item.x + item.half for row in rows for _, items, _ in row for item in items)
        for row in rows:
            for _, _, after in row:
                for i, item in enumerate(after):
                    item.x = right + _BOX_APART + i * _ARROWS_APART

    def _regions(self, number: int) -> tuple[list[_Item], list[_Item], list[_Item]]:
        """Return the arrows before the parts in a rank, boxes and arrows among them, and the arrows after them."""
        found: tuple[list[_Item], list[_Item], list[_Item]] = ([], [], [])
        for item in self._rows[number]:
            found[self._parts.side(number, item.ends) + 1].append(item)
        return found

    def _straighten_chains(self, ranks: Iterable[tuple[list[_Item], list[float]]], width: float) -> None:
        """Move each box that is the only one after another under that one, where its rank has room for that."""
        leaving = Counter(tail for (tail, _), _ in self._chains)
        entering = Counter(head for (_, head), _ in self._chains)
        above = {head: tail for (tail, head), _ in self._chains if leaving[tail] == entering[head] == 1}
        for rank, offsets in ranks:
            for i, item in enumerate(rank):
                if item.name not in above:
                    continue
                x, last = self._box[above[item.name]].x, len(rank) - 1
                low = rank[i - 1].x + offsets[i] - offsets[i - 1] if i else item.half
                high = rank[i + 1].x + offsets[i] - offsets[i + 1] if i < last else width - item.half
                if low <= x <= high:
                    item.x = x

    def _place_ranks(self) -> None:
        """Set the upper and lower borders of the ranks, further apart where arrows between them are flat."""
        widest = [0.0] * len(self._rows)
        for (ends, _), items in self._chains.items():
            for row, (upper, lower) in enumerate(pairwise(items), self._rank[ends[0]]):
                widest[row] = max(widest[row], abs(upper.x - lower.x) - (upper.half + lower.half) / 2)
        y = 0.0
        for rank, across in zip(self._rows, widest, strict=True):
            self._tops.append(y)
            y += max(self._size[item.name][1] for item in rank if item.name)
            self._bottoms.append(y)
            y += min(max(across / _FLATTEST, _LEAST_GAP), _WIDEST_GAP)

    def positions(self) -> Positions:
        """Return the layout, in which the longest arrows have chosen their lines first."""
        lines: dict[_Key, list[Point]] = {}
        for key, way in sorted(self._ways().items(), key=lambda each: -len(each[1])):
            (tail, head), _ = key
            free = [(passages.y, *passages.intervals[number]) for passages, number in way]
            lines[key] = line = line_through(free, self._box[tail].x, self._box[head].x)
            for passages, number in way:
                passages.use(number, _across(line, passages.y))
        arrows: dict[tuple[str, str], list[Curve]] = {}
        for ends, i in self._chains:  # the arrows between two boxes by their numbers
            arrows.setdefault(ends, []).append(rounded_turns(lines[ends, i]))
        boxes = {name: (item.x, self._middle(name)) for name, item in self._box.items()}
        return Positions(self._width, self._bottoms[-1], boxes, {}, arrows)

    @property
    def _width(self) -> float:
        return max(rank[-1].x + rank[-1].half for rank in self._rows)

    def _middle(self, name: str) -> float:
        rank = self._rank[name]
        return (self._tops[rank] + self._bottoms[rank]) / 2

    def _ways(self) -> dict[_Key, _Way]:
        """Return the lines that each arrow crosses."""
        passed: dict[_Item, _Way] = {}
        beside: dict[str, tuple[float, float]] = {}
        for rank, top, bottom in zip(self._rows, self._tops, self._bottoms, strict=True):
            boxes = [item for item in rank if item.name]
            walls = [None, *boxes, None]
            for left, box, right in zip(walls, boxes, walls[2:], strict=False):
                beside[box.name] = self._room(left, right)
            for arrows, (low, high) in self._groups(rank):
                last = len(arrows) - 1
                free = [(low + i * _ARROWS_APART, high - (last - i) * _ARROWS_APART) for i in range(last + 1)]
                free = [(min(a, item.x), max(b, item.x)) for (a, b), item in zip(free, arrows, strict=True)]
                both = [_Passages(y, _ARROWS_APART, list(free)) for y in (top - _CLEAR, bottom + _CLEAR)]
                passed |= {item: [(passages, i) for passages in both] for i, item in enumerate(arrows)}
        leaving, arriving = self._ends(is_leaving=True), self._ends(is_leaving=False)
        found = {}
        for key, items in self._chains.items():
            tail, head = key[0]
            below = _Passages(self._bottoms[self._rank[tail]] + _CLEAR, 0.0, [beside[tail]])
            above = _Passages(self._tops[self._rank[head]] - _CLEAR, 0.0, [beside[head]])
            inner = [passage for item in items[1:-1] for passage in passed[item]]
            found[key] = [leaving[key], (below, 0), *inner, (above, 0), arriving[key]]
        return found

    def _groups(self, rank: Sequence[_Item]) -> Iterator[tuple[list[_Item], tuple[float, float]]]:
        """Yield the arrows that pass a rank between the same two boxes, and the room there."""
        left, arrows = None, []
        for item in (*rank, None):
            if item is not None and not item.name:
                arrows.append(item)
                continue
            if arrows:
                yield arrows, self._room(left, item)
            left, arrows = item, []

    def _room(self, left: _Item | None, right: _Item | None) -> tuple[float, float]:
        """Return the interval that is free for arrows between two boxes, or beside one."""
        return (
            0.0 if left is None else left.x + left.half + _BOX_APART,
            self._width if right is None else right.x - right.half - _BOX_APART,
        )

    def _ends(self, *, is_leaving: bool) -> dict[_Key, tuple[_Passages, int]]:
        """Return where each arrow starts, or ends, in the order of the items to which the arrows of a box go."""
        at_box: dict[str, list[tuple[float, _Key]]] = {}
        for key, items in self._chains.items():
            box, other = (items[0], items[1]) if is_leaving else (items[-1], items[-2])
            at_box.setdefault(box.name, []).append((other.x, key))
        found: dict[_Key, tuple[_Passages, int]] = {}
        for name, others in at_box.items():
            width, height = self._size[name]
            inset, last = min(_CORNER, width / 4), len(others) - 1
            apart = min(_ENDS_APART, (width - 2 * inset) / max(last, 1))
            left, right = self._box[name].x - width / 2 + inset, self._box[name].x + width / 2 - inset
            free = [(left + i * apart, right - (last - i) * apart) for i in range(last + 1)]
            passages = _Passages(self._middle(name) + (height / 2 if is_leaving else -height / 2), apart, free)
            found |= {key: (passages, i) for i, (_, key) in enumerate(sorted(others))}
        return found


def _add_wishes(items: Sequence[_Item]) -> None:
    """Let the items of an arrow wish to be above each other, and on one line."""
    for upper, lower in pairwise(items):
        upper.wishes.append((1.0, ((lower, 1.0),)))
        lower.wishes.append((1.0, ((upper, 1.0),)))
    for upper, item, lower in zip(items, items[1:], items[2:], strict=False):
        item.wishes.append((4 * _STRAIGHTNESS, ((upper, 0.5), (lower, 0.5))))
        upper.wishes.append((_STRAIGHTNESS, ((item, 2.0), (lower, -1.0))))
        lower.wishes.append((_STRAIGHTNESS, ((item, 2.0), (upper, -1.0))))


def _across(points: Sequence[Point], y: float) -> float:
    """Return where a line that goes down crosses a height."""
    for (x0, y0), (x1, y1) in pairwise(points):
        if y0 <= y <= y1 and y0 < y1:
            return x0 + (x1 - x0) * (y - y0) / (y1 - y0)
    return min(points, key=lambda point: abs(point[1] - y))[0]


def _offsets(rank: Sequence[_Item]) -> list[float]:
    """Return the least distance of each item of a rank from the first."""
    found = [0.0]
    for left, right in pairwise(rank):
        between = (_ARROWS_APART, _BOX_APART, _BOXES_APART)[bool(left.name) + bool(right.name)]
        found.append(found[-1] + left.half + between + right.half)
    return found


def _rising(wished: Iterable[tuple[float, float]]) -> Iterator[float]:
    """Yield numbers that don't fall and are nearest to those given with weights, in the least squares."""
    pools: list[tuple[float, float, int]] = []
    for mean, weight in wished:
        number = 1
        while pools and pools[-1][0] >= mean:
            other, its, count = pools.pop()
            mean, weight, number = (other * its + mean * weight) / (its + weight), its + weight, number + count
        pools.append((mean, weight, number))
    for mean, _, number in pools:
        yield from (mean for _ in range(number))
