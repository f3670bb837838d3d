"""Arrows through frames that are around neither of their ends, and the order of boxes in which there are none."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import pairwise

from flytenb.render.clearance import TOUCH, cuts, points_of
from flytenb.render.layout import Positions
from flytenb.render.scene import Scene
from flytenb.render.shapes import Arrow

Order = tuple[str, str]
"""The DOT names of two boxes or titles; the first must be in a rank above the second."""


def crossed_frames(scene: Scene, at: Positions) -> list[tuple[Arrow, int]]:
    """Return each arrow that passes a frame around neither of its ends, with the number of the outermost one."""
    if not scene.frames:
        return []
    around = _frames_around(scene)
    ways = {ends: iter(found) for ends, found in at.arrows.items()}
    crossed = []
    for arrow in scene.arrows:
        own = around[scene.boxes[arrow.tail].frame] | around[scene.boxes[arrow.head].frame]
        points = [point for leg in arrow.legs for point in points_of(next(ways[leg]))]
        low, high = min(y for _, y in points), max(y for _, y in points)
        for frame in scene.frames:
            _, top, _, bottom = rect = at.frames[f"cluster_{frame.number}"]
            is_outermost = frame.number not in own and (frame.frame is None or frame.frame in own)
            if is_outermost and top < high and low < bottom and _passes(points, rect):
                crossed.append((arrow, frame.number))
    return crossed


def _passes(points: list[tuple[float, float]], rect: tuple[float, float, float, float]) -> bool:
    return any(cuts(start, end, rect, -TOUCH) for start, end in pairwise(points))


def order_apart(scene: Scene, crossed: Iterable[tuple[Arrow, int]], known: Collection[Order]) -> set[Order]:
    """Return an order of boxes that keeps arrows out of the frames that they pass; empty if `known` has all of it.

    A frame is below what is connected to it from above, and above what is connected to it from below. An arrow that
    still passes another frame starts above that frame, or ends below it.
    """
    boxes = _Boxes(scene, known)
    for arrow, _ in crossed:
        for other in scene.arrows:
            if other.tail == arrow.tail or other.head == arrow.head:
                boxes.put_apart(other)
    if not boxes.added:
        for arrow, number in crossed:
            boxes.put_beside(arrow, number)
    return boxes.added


class _Boxes:
    """The boxes and titles of a scene, in the order of its arrows and what is added to it."""

    def __init__(self, scene: Scene, known: Collection[Order]) -> None:
        self._scene = scene
        self._around = _frames_around(scene)
        self._below: dict[str, set[str]] = {}
        self._inside: dict[int, list[str]] = {frame.number: [] for frame in scene.frames}
        for box in scene.boxes:
            for number in self._around[box.frame]:
                self._inside[number].append(f"n{box.number}")
                self._below.setdefault(f"t{number}", set()).add(f"n{box.number}")
        for upper, lower in (*((f"n{arrow.tail}", f"n{arrow.head}") for arrow in scene.arrows), *known):
            self._below.setdefault(upper, set()).add(lower)
        self.added: set[Order] = set()

    def put_apart(self, arrow: Arrow) -> None:
        """Put the frames around one end of an arrow below or above its other end."""
        tail, head = (self._around[self._scene.boxes[number].frame] for number in (arrow.tail, arrow.head))
        self._add((f"n{arrow.tail}", f"t{number}") for number in head - tail)
        for number in tail - head:
            self._add((name, f"n{arrow.head}") for name in self._inside[number])

    def put_beside(self, arrow: Arrow, number: int) -> None:
        """Put a frame above the end of an arrow, or below its start if the frame depends on the end."""
        if self._reached(f"n{arrow.head}").isdisjoint(self._inside[number]):
            self._add((name, f"n{arrow.head}") for name in self._inside[number])
        else:
            self._add([(f"n{arrow.tail}", f"t{number}")])

    def _add(self, pairs: Iterable[Order]) -> None:
        """Add the pairs that are new and lead to no cycle."""
        for upper, lower in pairs:
            if lower in self._below.get(upper, ()) or upper == lower or upper in self._reached(lower):
                continue
            self._below.setdefault(upper, set()).add(lower)
            self.added.add((upper, lower))

    def _reached(self, name: str) -> set[str]:
        """Return what must be below a box or a title."""
        found: set[str] = set()
        ahead = [name]
        while ahead:
            new = self._below.get(ahead.pop(), set()) - found
            found |= new
            ahead.extend(new)
        return found


def _frames_around(scene: Scene) -> dict[int | None, frozenset[int]]:
    """Return the frames around the contents of each frame, itself included."""
    found: dict[int | None, frozenset[int]] = {None: frozenset()}
    for frame in scene.frames:  # outer before inner
        found[frame.number] = found[frame.frame] | {frame.number}
    return found
