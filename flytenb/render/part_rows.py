"""The order in ranks with rows of parts: alike in parts of one shape, with other arrows beside the parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

Rows = Sequence[Sequence[Sequence[str]]]
"""Rows of parts that are side by side, from the top; a part is the DOT names of its boxes and labels."""
Ends = tuple[str, str]
_Label = tuple[int, int] | str
"""What a box is in its part: its rank from the top of the part, and its number there. Others have their name."""

_BEFORE, _PARTS, _BESIDE, _AFTER = range(4)
"""From the left: arrows from rows above, the parts, other boxes and arrows, arrows to rows below."""


class PartRows:
    """The place of boxes and arrows among the parts of a layout.

    Attributes:
        row: the number of the row of each box in a part.
        ranks: the ranks of each row.
    """

    def __init__(self, rows: Rows, rank: Mapping[str, int], arrows: Iterable[Ends]) -> None:
        self.row = {name: i for i, parts in enumerate(rows) for part in parts for name in part}
        self.ranks = [sorted({rank[name] for part in parts for name in part}) for parts in rows]
        self._part = {name: i for parts in rows for i, part in enumerate(parts) for name in part}
        self._row_of = {at: i for i, ranks in enumerate(self.ranks) for at in ranks}
        self._top: dict[str, int] = {}
        self._label: dict[str, _Label] = {}
        self._shape: dict[str, object] = {}
        touching: dict[str, list[Ends]] = {}
        for ends in arrows:
            for name in ends:
                touching.setdefault(name, []).append(ends)
        for part in (part for parts in rows for part in parts):
            top = min(rank[name] for name in part)
            self._top.update(dict.fromkeys(part, top))
            seen: dict[int, int] = {}
            for name in sorted(part, key=lambda name: (name[0], int(name[1:]))):
                at = rank[name] - top
                self._label[name] = (at, seen.get(at, 0))
                seen[at] = seen.get(at, 0) + 1
            shape = frozenset(self._labels(ends) for name in part for ends in touching.get(name, ()))
            self._shape.update(dict.fromkeys(part, (shape, *sorted(seen.items()))))
        self._first: dict[object, float] = {}

    def are_together(self, ends: Ends) -> bool:
        """Whether both ends of an arrow are in one part, or both in none."""
        places = [(self.row.get(name), self._part.get(name)) for name in ends]
        return places[0] == places[1]

    def is_near(self, ends: Ends) -> bool:
        """Whether an arrow connects what is in no part with the first row below it or the last one above it."""
        tail, head = ends
        return self.row.get(head, -1) == 0 if tail not in self.row else self.row[tail] == len(self.ranks) - 1

    def side(self, rank: int, ends: Ends) -> int:
        """Return whether an arrow passes a rank before the parts (-1), after them (1) or elsewhere (0)."""
        region = self._region(rank, ends)
        return (region == _AFTER) - (region == _BEFORE)

    def order(self, rank: int, ends: Ends, x: float) -> tuple[float, ...]:
        """Return the key by which the boxes and arrows of a rank are sorted, for a box with its name twice.

        In a part of the shape of an earlier one, the order is that of the earlier one.

        Args:
            rank: the rank.
            ends: the ends of the arrow.
            x: where an engine has put it.
        """
        region = self._region(rank, ends)
        if region is None:
            return (x,)
        if region == _BESIDE:
            return region, x
        own = next(name for name in ends if self.row.get(name) == self._row_of[rank]) if region == _PARTS else ""
        if not own:
            end = ends[0] if region == _BEFORE else ends[1]
            return region, self.row[end], self._part[end], x
        like = (self._shape[own], rank - self._top[own], self._labels(ends))
        return region, self._part[own], self._first.setdefault(like, x)

    def _region(self, rank: int, ends: Ends) -> int | None:
        row = self._row_of.get(rank)
        if row is None:
            return None
        rows = [self.row.get(name) for name in ends]
        if row in rows:
            return _PARTS
        if rows[0] is not None and rows[0] < row:
            return _BEFORE
        return _AFTER if rows[1] is not None and rows[1] > row else _BESIDE

    def _labels(self, ends: Ends) -> tuple[_Label, _Label]:
        tail, head = ends
        return self._label.get(tail, tail), self._label.get(head, head)
