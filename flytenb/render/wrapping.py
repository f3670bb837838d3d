"""Ranks that fit the width of a page: boxes of crowded ranks are moved to ranks above or below."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from flytenb.model import EdgeKind
from flytenb.render.layout import Positions
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

Ranks = Sequence[Sequence[str]]
"""The DOT names of the boxes and labels in each rank, from the top."""


def wrapped_ranks(scene: Scene, at: Positions, page: float, shares: Iterable[float]) -> Iterator[Ranks]:
    """Yield different ranks that take no more than a share of a page's width, as far as that is reached.

    There are none for scenes with frames or branches, whose boxes belong together, for those whose boxes would fill
    the page, and for very large ones.

    Args:
        scene: the contents.
        at: their layout.
        page: the width of a page in pixels.
        shares: the largest share first.
    """
    together = scene.frames or any(arrow.kind == EdgeKind.CASE for arrow in scene.arrows)
    if together or len(scene.boxes) > _MOST_BOXES:
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
            yield found
        before = found


class _Ranks:
    """The rank of each box and label, and the width of each rank."""

    def __init__(self, scene: Scene, at: Positions) -> None:
        self._widths = {f"n{box.number}": box.width for box in scene.boxes}
        self._widths |= {f"l{arrow.number}": arrow.label_size[0] for arrow in scene.arrows if arrow.label}
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
        ranks: dict[int, list[str]] = {}
        for name, rank in self._rank.items():
            ranks.setdefault(rank, []).append(name)
        return [ranks[rank] for rank in sorted(ranks)]
