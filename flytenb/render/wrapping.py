"""Ranks that fit the width of a page: boxes of crowded ranks are moved to ranks above or below."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import ceil

from flytenb.model import EdgeKind
from flytenb.render.layout import Positions
from flytenb.render.part_rows import Rows
from flytenb.render.scene import Scene

_GAP = 12.0
"""Pixels between two boxes of a rank."""
_PASSING = 13.0
"""Pixels that an arrow takes in a rank that it passes."""
_FULLEST = 0.9
"""Share of the room in all ranks that boxes may take to be moved; where less is left, arrows become long."""
_MOST_BOXES = 150
"""Most boxes of a scene whose boxes are moved; in larger pictures no single arrow can be followed."""
_RANK_COST = 20.0
"""Pixels by which a rank may be too wide, rather than that an arrow passes one more rank."""
_MOST_MOVES = 400
_MOST_ROWS = 4
_MANY = 4
"""Fewest arrows of a box that connects parts, and fewest parts that are put into rows."""

Ranks = Sequence[Sequence[str]]
"""The DOT names of the boxes and labels in each rank, from the top."""


def wrapped_ranks(scene: Scene, at: Positions, page: float, shares: Iterable[float]) -> Iterator[tuple[Ranks, Rows]]:
    """Yield different ranks that take no more than a share of a page's width, as far as that is reached.

    Parts that are side by side between the same boxes, such as chains, are put into rows of whole parts. Else boxes
    are moved one by one. There are none for scenes with frames or branches, whose boxes belong together, for those
    whose boxes would fill the page, and for very large ones.

    Args:
        scene: the contents.
        at: their layout.
        page: the width of a page in pixels.
        shares: the largest share first.
    """
    together = scene.frames or any(arrow.kind == EdgeKind.CASE for arrow in scene.arrows)
    if together or len(scene.boxes) > _MOST_BOXES:
        return
    if (found_rows := _Ranks(scene, at).in_rows(page)) is not None:
        yield found_rows
        return
    number = len({at.boxes[f"n{box.number}"][1] for box in scene.boxes})
    if sum(box.width + _GAP for box in scene.boxes) > _FULLEST * page * number:
        return
    ranks = _Ranks(scene, at)
    before: Ranks = ()
    for share in shares:
        ranks.narrow(share * page)
        found = ranks.found()
        if found != before:
            yield found, ()
        before = found


class _Ranks:
    """The rank of each box and label, and the width of each rank."""

    def __init__(self, scene: Scene, at: Positions) -> None:
        self._widths = {f"n{box.number}": box.width for box in scene.boxes}
        self._widths |= {f"l{arrow.number}": arrow.label_size[0] for arrow in scene.arrows if arrow.label}
        self._across = {name: at.boxes[name][0] for name in self._widths}
        heights = sorted({at.boxes[name][1] for name in self._widths})
        number = {y: i for i, y in enumerate(heights)}
        self._rank = {name: number[at.boxes[name][1]] for name in self._widths}
        self._below: dict[str, list[str]] = {name: [] for name in self._widths}
        self._above: dict[str, list[str]] = {name: [] for name in self._widths}
        for arrow in scene.arrows:
            for tail, head in arrow.legs:
                self._below[tail].append(head)
                self._above[head].append(tail)
        self.loads: defaultdict[int, float] = defaultdict(float)
        for name, rank in self._rank.items():
            self.loads[rank] += self._widths[name] + _GAP
            for head in self._below[name]:
                for passed in range(rank + 1, self._rank[head]):
                    self.loads[passed] += _PASSING

    def in_rows(self, width: float) -> tuple[Ranks, Rows] | None:
        """Return ranks with parts that are side by side in several rows, or None if all fit one row.

        Returns:
            the names in each rank, and the rows of parts, none if there are parts between different boxes.
        """
        all_rows: list[Sequence[Sequence[str]]] = []
        groups = [group for group in self._groups() if self._width_of(group) > width]
        rank = dict(self._rank)
        for group in groups:
            rows = self._rows(group, width)
            if rows is None:
                return None
            all_rows += rows
            heights = [max(map(self._height_of, row)) for row in rows]
            begin = min(rank[name] for part in group for name in part)
            below = self._names_below(group)
            added = begin + sum(heights) - min((rank[name] for name in below), default=begin + sum(heights))
            rank |= {name: rank[name] + max(added, 0) for name in below}
            for row, height in zip(rows, heights, strict=True):
                for part in row:
                    top = min(self._rank[name] for name in part)
                    rank |= {name: begin + self._rank[name] - top for name in part}
                begin += height
        return (_by_rank(rank), all_rows if len(groups) == 1 else ()) if groups else None

    def _groups(self) -> list[list[list[str]]]:
        """Return parts, from left to right, that are connected by boxes with many arrows only, and by the same ones."""
        hubs = {name for name in self._rank if max(len(self._above[name]), len(self._below[name])) >= _MANY}
        groups: dict[frozenset[tuple[str, bool]], list[list[str]]] = {}
        left = sorted(self._rank.keys() - hubs, key=self._across.__getitem__)
        seen: set[str] = set()
        for name in left:
            part, todo, ends = [], [name], set()
            while todo:
                at = todo.pop()
                if at not in seen:
                    seen.add(at)
                    part.append(at)
                    for others, is_above in ((self._above[at], True), (self._below[at], False)):
                        todo += [other for other in others if other not in hubs]
                        ends |= {(other, is_above) for other in others if other in hubs}
            if part:
                groups.setdefault(frozenset(ends), []).append(part)
        return [group for group in groups.values() if len(group) >= _MANY]

    def _width_of(self, parts: Iterable[Sequence[str]]) -> float:
        """Return the width of parts side by side."""
        total = 0.0
        for part in parts:
            loads: defaultdict[int, float] = defaultdict(float)
            for name in part:
                loads[self._rank[name]] += self._widths[name] + _GAP
            total += max(loads.values())
        return total

    def _names_below(self, parts: Iterable[Sequence[str]]) -> set[str]:
        """Return what arrows lead to from parts, at any distance."""
        inside = {name for part in parts for name in part}
        found, todo = set[str](), [*inside]
        while todo:
            new = {name for name in self._below[todo.pop()] if name not in found and name not in inside}
            found |= new
            todo += new
        return found

    def _height_of(self, part: Sequence[str]) -> int:
        """Return the number of ranks of a part."""
        ranks = [self._rank[name] for name in part]
        return max(ranks) - min(ranks) + 1

    def _rows(self, parts: Sequence[Sequence[str]], width: float) -> list[Sequence[Sequence[str]]] | None:
        """Return the parts in as few rows of equal numbers as fit; the arrows of the others pass between them."""
        for number in range(2, _MOST_ROWS + 1):
            each = ceil(len(parts) / number)
            rows = [parts[at : at + each] for at in range(0, len(parts), each)]
            if all(self._width_of(row) + _PASSING * (len(parts) - len(row)) <= width for row in rows):
                return rows
        return None

    def narrow(self, width: float) -> None:
        """Move boxes out of the widest rank, one with those that must follow it at a time, until all ranks fit."""
        for _ in range(_MOST_MOVES):
            widest = max(self.loads, key=self.loads.__getitem__)
            if self.loads[widest] <= width:
                return
            moves = (self._move(name, step) for name, at in self._rank.items() if at == widest for step in (1, -1))
            best: tuple[float, Mapping[str, int], Mapping[int, float]] | None = None
            for move in moves:
                changes, longer = self._changes(move)
                saved = sum(
                    max(self.loads[rank] - width, 0) - max(self.loads[rank] + by - width, 0)
                    for rank, by in changes.items()
                )
                if saved > 1 and (best is None or _RANK_COST * longer - saved < best[0]):
                    best = _RANK_COST * longer - saved, move, changes
            if best is None:
                return
            self._rank.update(best[1])
            for rank, by in best[2].items():
                self.loads[rank] += by

    def _move(self, name: str, step: int) -> dict[str, int]:
        """Return the new ranks of a box that moves by one rank, and of those that it pushes ahead."""
        moved = {name: self._rank[name] + step}
        ahead = [name]
        while ahead:
            at = ahead.pop()
            for other in self._below[at] if step > 0 else self._above[at]:
                needed, now = moved[at] + step, moved.get(other, self._rank[other])
                if (needed - now) * step > 0:
                    moved[other] = needed
                    ahead.append(other)
        return moved

    def _changes(self, move: Mapping[str, int]) -> tuple[Mapping[int, float], int]:
        """Return by how much a move changes the widths of ranks, and by how many ranks it makes arrows longer."""
        changes: defaultdict[int, float] = defaultdict(float)
        longer = 0
        for name, rank in move.items():
            changes[self._rank[name]] -= self._widths[name] + _GAP
            changes[rank] += self._widths[name] + _GAP
            ends = [(name, head) for head in self._below[name]]
            ends += [(tail, name) for tail in self._above[name] if tail not in move]
            for tail, head in ends:
                old, old_end = self._rank[tail], self._rank[head]
                new, new_end = move.get(tail, old), move.get(head, old_end)
                longer += (new_end - new) - (old_end - old)
                for passed in range(old + 1, old_end):
                    changes[passed] -= _PASSING
                for passed in range(new + 1, new_end):
                    changes[passed] += _PASSING
        return changes, longer

    def found(self) -> Ranks:
        """Return the names in each rank."""
        return _by_rank(self._rank)


def _by_rank(rank: Mapping[str, int]) -> Ranks:
    ranks: dict[int, list[str]] = {}
    for name, at in rank.items():
        ranks.setdefault(at, []).append(name)
    return [ranks[at] for at in sorted(ranks)]
