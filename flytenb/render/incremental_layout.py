"""Incremental layout: a graph that gained nodes keeps the layout it had, with room for what is new.

A container that opens needs room: everything to its right moves right and everything below it moves down, by exactly
the room it gained, so that the order doesn't change and nothing overlaps. New nodes are laid out by themselves and
placed into that room.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

from flytenb.render.layout import Curve, Point, Positions
from flytenb.render.scene import Scene
from flytenb.render.shapes import Arrow, Box, Frame

Rect = tuple[float, float, float, float]

_SIDE, _TITLE = 12.0, 32.0
"""Room in pixels between a container's border and its contents, and above for its title."""


def extend_layout(before: Scene, at: Positions, after: Scene, lay_out: Callable[[int], Positions]) -> Positions | None:
    """Return the positions of `after`, or None unless it is `before` with containers opened or filled.

    Args:
        before: the scene that was drawn.
        at: its positions.
        after: the scene to draw.
        lay_out: returns the layout of the inside of one of the frames of `after`, given by its number.
    """
    growth = _compare(before, at, after)
    if growth is None:
        return None
    inside = {frame.number: lay_out(frame.number) for frame, _ in growth}
    across, down = _Stretch(), _Stretch()
    for frame, (left, top, right, bottom) in growth:
        inner = inside[frame.number]
        across.widen(left, right, max(inner.width, frame.width) + 2 * _SIDE)
        down.widen(top, bottom, inner.height + _TITLE + _SIDE)
    return _ExtendedLayout(before, at, after, across, down).place(growth, inside)


@dataclass
class _Stretch:
    """Piecewise linear map of one axis that lengthens some intervals and shortens none."""

    longer: dict[tuple[float, float], float] = field(default_factory=dict)

    def widen(self, start: float, end: float, length: float) -> None:
        """Make an interval at least `length` long; equal intervals are lengthened once."""
        key = (round(start, 1), round(end, 1))
        self.longer[key] = max(self.longer.get(key, 0.0), length - (end - start), 0.0)

    def __call__(self, place: float) -> float:
        """Return the new coordinate of a point."""
        return place + sum(
            more * min(max((place - start) / ((end - start) or 1.0), 0.0), 1.0)
            for (start, end), more in self.longer.items()
        )


def _key(box: Box) -> Hashable:
    return box.path, box.shape, box.ports


def _compare(before: Scene, at: Positions, after: Scene) -> list[tuple[Frame, Rect]] | None:
    """Return the frames that grew, each with its old rectangle; None if anything else has changed."""
    old = {_key(box): box for box in before.boxes}
    new = {_key(box): box for box in after.boxes}
    old_frames = {(frame.path, frame.is_handler): frame for frame in before.frames}
    grown: dict[str, tuple[Frame, Rect]] = {}
    for frame in after.frames:
        if _is_inside(frame.path, grown):
            continue
        was_box, was_frame = old.get((frame.path, "box", ())), old_frames.get((frame.path, frame.is_handler))
        if was_frame is None and was_box is None:
            return None
        if was_frame is not None:
            if _inner(frame.path, old) != _inner(frame.path, new) and not _grows_within(frame.path, old, new, after):
                grown[frame.path] = (frame, at.frames[f"cluster_{was_frame.number}"])
        elif was_box is not None:
            grown[frame.path] = (frame, _rect(was_box, at))
    for key, box in old.items():
        if _is_inside(box.path, grown) or box.path in grown:
            continue
        found = new.get(key)
        if found is None or (found.width, found.height) != (box.width, box.height):
            return None
    if not grown or any(key not in old and not _is_inside(box.path, grown) for key, box in new.items()):
        return None
    return list(grown.values())


def _inner(path: str, boxes: Iterable[Hashable]) -> set[Hashable]:
    return {key for key in boxes if isinstance(key, tuple) and key[0].startswith(f"{path}/")}


def _grows_within(path: str, old: dict[Hashable, Box], new: dict[Hashable, Box], after: Scene) -> bool:
    """Whether all changes in a frame are inside nested containers, which are compared by themselves."""
    frames = {frame.path for frame in after.frames if frame.path.startswith(f"{path}/")}
    gone, come = _inner(path, old) - _inner(path, new), _inner(path, new) - _inner(path, old)
    return all(old[key].path in frames or _is_inside(old[key].path, frames) for key in gone) and all(
        _is_inside(new[key].path, frames) for key in come
    )


def _is_inside(path: str, containers: Iterable[str]) -> bool:
    return any(path.startswith(f"{container}/") for container in containers)


def _rect(box: Box, at: Positions) -> Rect:
    x, y = at.boxes[f"n{box.number}"]
    return x - box.width / 2, y - box.height / 2, x + box.width / 2, y + box.height / 2


class _ExtendedLayout:
    """Positions of the extended scene, by kind of element."""

    def __init__(self, before: Scene, at: Positions, after: Scene, across: _Stretch, down: _Stretch) -> None:
        self._before, self._at, self._after = before, at, after
        self._across, self._down = across, down
        self._new = {_key(box): box for box in after.boxes}
        self._boxes: dict[str, Point] = {}
        self._frames: dict[str, Rect] = {}
        self._arrows: dict[tuple[str, str], list[Curve]] = {}

    def place(self, growth: list[tuple[Frame, Rect]], inside: dict[int, Positions]) -> Positions | None:
        """Return all positions, or None if a new arrow starts or ends at a node that existed before."""
        for box in self._before.boxes:
            found = self._new.get(_key(box))
            if found is not None:
                self._boxes[f"n{found.number}"] = self._moved(self._at.boxes[f"n{box.number}"])
        frames = {(frame.path, frame.is_handler): frame for frame in self._after.frames}
        for frame in self._before.frames:
            rect = self._at.frames[f"cluster_{frame.number}"]
            self._frames[f"cluster_{frames[frame.path, frame.is_handler].number}"] = self._moved_rect(rect)
        paths = []
        for frame, rect in growth:
            paths.append(frame.path)
            self._fill(frame, self._moved_rect(rect), inside[frame.number])
        if not self._route_arrows(paths):
            return None
        width, height = self._across(self._at.width), self._down(self._at.height)
        return Positions(width, height, self._boxes, self._frames, self._arrows)

    def _moved(self, point: Point) -> Point:
        return self._across(point[0]), self._down(point[1])

    def _moved_rect(self, rect: Rect) -> Rect:
        left, top, right, bottom = rect
        return self._across(left), self._down(top), self._across(right), self._down(bottom)

    def _fill(self, frame: Frame, rect: Rect, inner: Positions) -> None:
        """Place the layout of new nodes into their frame, centred."""
        left, top, right, _ = self._frames[f"cluster_{frame.number}"] = rect
        x0, y0 = (left + right - inner.width) / 2, top + _TITLE
        self._boxes.update((name, (x0 + x, y0 + y)) for name, (x, y) in inner.boxes.items())
        for name, (a, b, c, d) in inner.frames.items():
            self._frames[name] = (x0 + a, y0 + b, x0 + c, y0 + d)
        for ends, ways in inner.arrows.items():
            self._arrows[ends] = [_shifted(way, x0, y0) for way in ways]

    def _route_arrows(self, grown: list[str]) -> bool:
        """Route existing arrows as before; one to a container that opened is extended to the port inside."""
        known = self._old_curves()
        for arrow in self._after.arrows:
            tail, head = self._after.boxes[arrow.tail], self._after.boxes[arrow.head]
            is_from, is_to = _is_inside(tail.path, grown), _is_inside(head.path, grown)
            if is_from and is_to and all(leg in self._arrows for leg in arrow.legs):
                continue
            found = known.get(_ends(arrow, tail, head))
            if not found or (arrow.label and not found[0][0].label):
                return False
            old, ways = found.pop(0) if len(found) > 1 else found[0]
            tail_shift = self._shift_of(old.tail) if old.tail_frame is None else None
            head_shift = self._shift_of(old.head) if old.head_frame is None else None
            ways = self._moved_ways(ways, tail_shift, head_shift)
            if is_from and arrow.tail_frame is None:
                x, y = self._boxes[f"n{tail.number}"]
                ways[0] = _connected((x, y + tail.height / 2), ways[0])
            if is_to and arrow.head_frame is None:
                x, y = self._boxes[f"n{head.number}"]
                ways[-1] = _connected(ways[-1], (x, y - head.height / 2))
            if arrow.label:
                self._boxes[f"l{arrow.number}"] = self._moved(self._at.boxes[f"l{old.number}"])
            elif len(ways) == 2:
                ways = [_connected(*ways)]
            for ends, way in zip(arrow.legs, ways, strict=True):
                self._arrows.setdefault(ends, []).append(way)
        return True

    def _old_curves(self) -> dict[Hashable, list[tuple[Arrow, list[Curve]]]]:
        """Return the arrows of the old scene with their curves, by arrow identity."""
        ways = {ends: iter(found) for ends, found in self._at.arrows.items()}
        known: dict[Hashable, list[tuple[Arrow, list[Curve]]]] = {}
        for arrow in self._before.arrows:
            key = _ends(arrow, self._before.boxes[arrow.tail], self._before.boxes[arrow.head])
            known.setdefault(key, []).append((arrow, [next(ways[leg]) for leg in arrow.legs]))
        return known

    def _moved_ways(self, ways: list[Curve], tail: Point | None, head: Point | None) -> list[Curve]:
        """Return an arrow's curves after stretching; ends at boxes, which keep their size, move with them."""
        found = [[self._down(v) if i % 2 else self._across(v) for i, v in enumerate(way)] for way in ways]
        if tail is not None:
            found[0][:4] = _shifted(ways[0][:4], *tail)
        if head is not None:
            found[-1][-4:] = _shifted(ways[-1][-4:], *head)
        return [tuple(way) for way in found]

    def _shift_of(self, number: int) -> Point | None:
        """Return the offset by which a box of the old scene has moved, or None if it was opened."""
        if _key(self._before.boxes[number]) not in self._new:
            return None
        x, y = self._at.boxes[f"n{number}"]
        return self._across(x) - x, self._down(y) - y


def _ends(arrow: Arrow, tail: Box, head: Box) -> Hashable:
    """Return the identity of an arrow: its kind and the nodes at its ends."""
    return arrow.source or _key(tail), arrow.target or _key(head), arrow.kind


def _shifted(way: Curve, dx: float, dy: float) -> Curve:
    return tuple(v + (dy if i % 2 else dx) for i, v in enumerate(way))


def _connected(first: Curve, then: Curve) -> Curve:
    """Return one curve from two, or from a curve and a point, joined by a vertical S-curve."""
    x, y = first[-2:]
    to_x, to_y = then[:2]
    middle = (y + to_y) / 2
    return (*first, x, middle, to_x, middle, *then)
