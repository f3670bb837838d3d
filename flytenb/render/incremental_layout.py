"""A picture that grew, as the picture that it was with room made in it: what was there stays where it stood.

A container that opens needs room. All that stands right of it moves right and all below it moves down, by what it grew
and no more, so that nothing changes places and nothing can overlap. What is new is laid out by itself, in that room.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

from flytenb.render.layout import Curve, Point, Positions
from flytenb.render.scene import Scene
from flytenb.render.shapes import Arrow, Box, Frame

Rect = tuple[float, float, float, float]

_SIDE, _TITLE = 12.0, 32.0
"""Room between a container's wall and what is in it, and above, where its title stands."""


def extend_layout(before: Scene, at: Positions, after: Scene, lay_out: Callable[[int], Positions]) -> Positions | None:
    """Return where everything of `after` stands, None if it isn't `before` with some containers opened or filled.

    Args:
        before: what was drawn.
        at: where it stands.
        after: what is to be drawn.
        lay_out: lays out the inside of one of the frames of `after`, given by its number, and nothing else.
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
    """A map of one axis onto itself in which some stretches are longer and none is shorter."""

    longer: dict[tuple[float, float], float] = field(default_factory=dict)

    def widen(self, start: float, end: float, length: float) -> None:
        """Make the stretch from start to end at least so long; two that are one grow once."""
        key = (round(start, 1), round(end, 1))
        self.longer[key] = max(self.longer.get(key, 0.0), length - (end - start), 0.0)

    def __call__(self, place: float) -> float:
        """Return where a place comes to stand."""
        return place + sum(
            more * min(max((place - start) / ((end - start) or 1.0), 0.0), 1.0)
            for (start, end), more in self.longer.items()
        )


def _key(box: Box) -> Hashable:
    return box.path, box.shape, box.ports


def _compare(before: Scene, at: Positions, after: Scene) -> list[tuple[Frame, Rect]] | None:
    """The frames that grew and the place that each had; None if anything else has changed."""
    old = {_key(box): box for box in before.boxes}
    new = {_key(box): box for box in after.boxes}
    old_frames = {(frame.path, frame.is_lane): frame for frame in before.frames}
    grown: dict[str, tuple[Frame, Rect]] = {}
    for frame in after.frames:
        if _is_inside(frame.path, grown):
            continue
        was_box, was_frame = old.get((frame.path, "box", ())), old_frames.get((frame.path, frame.is_lane))
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
    """Whether what changed in a frame changed in containers in it, which are looked at themselves."""
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
    """The new positions, one kind of thing after the other."""

    def __init__(self, before: Scene, at: Positions, after: Scene, across: _Stretch, down: _Stretch) -> None:
        self._before, self._at, self._after = before, at, after
        self._across, self._down = across, down
        self._new = {_key(box): box for box in after.boxes}
        self._boxes: dict[str, Point] = {}
        self._frames: dict[str, Rect] = {}
        self._arrows: dict[tuple[str, str], list[Curve]] = {}

    def place(self, growth: list[tuple[Frame, Rect]], inside: dict[int, Positions]) -> Positions | None:
        """Return all positions, None if an arrow leads into what is new from somewhere that says nothing of it."""
        for box in self._before.boxes:
            found = self._new.get(_key(box))
            if found is not None:
                self._boxes[f"n{found.number}"] = self._moved(self._at.boxes[f"n{box.number}"])
        frames = {(frame.path, frame.is_lane): frame for frame in self._after.frames}
        for frame in self._before.frames:
            rect = self._at.frames[f"cluster_{frame.number}"]
            self._frames[f"cluster_{frames[frame.path, frame.is_lane].number}"] = self._moved_rect(rect)
        paths = []
        for frame, rect in growth:
            paths.append(frame.path)
            self._fill(frame, self._moved_rect(rect), inside[frame.number])
        if not self._lead_arrows(paths):
            return None
        width, height = self._across(self._at.width), self._down(self._at.height)
        return Positions(width, height, self._boxes, self._frames, self._arrows)

    def _moved(self, point: Point) -> Point:
        return self._across(point[0]), self._down(point[1])

    def _moved_rect(self, rect: Rect) -> Rect:
        left, top, right, bottom = rect
        return self._across(left), self._down(top), self._across(right), self._down(bottom)

    def _fill(self, frame: Frame, rect: Rect, inner: Positions) -> None:
        """Put what is new into its frame, in the middle."""
        left, top, right, _ = self._frames[f"cluster_{frame.number}"] = rect
        x0, y0 = (left + right - inner.width) / 2, top + _TITLE
        self._boxes.update((name, (x0 + x, y0 + y)) for name, (x, y) in inner.boxes.items())
        for name, (a, b, c, d) in inner.frames.items():
            self._frames[name] = (x0 + a, y0 + b, x0 + c, y0 + d)
        for ends, ways in inner.arrows.items():
            self._arrows[ends] = [_shifted(way, x0, y0) for way in ways]

    def _lead_arrows(self, grown: list[str]) -> bool:
        """Lead the arrows that were there as they were led; at a container that opened, on to the port inside."""
        known = self._led_before()
        for arrow in self._after.arrows:
            tail, head = self._after.boxes[arrow.tail], self._after.boxes[arrow.head]
            is_from, is_to = _is_inside(tail.path, grown), _is_inside(head.path, grown)
            if is_from and is_to and all(leg in self._arrows for leg in arrow.legs):
                continue
            found = known.get(_ends(arrow, tail, head))
            if not found or (arrow.label and not found[0][0].label):
                return False
            old, ways = found.pop(0) if len(found) > 1 else found[0]
            ways = self._moved_ways(ways, self._shift_of(old.tail), self._shift_of(old.head))
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

    def _led_before(self) -> dict[Hashable, list[tuple[Arrow, list[Curve]]]]:
        """The arrows of the old picture and their lines, by what makes an arrow the same one."""
        ways = {ends: iter(found) for ends, found in self._at.arrows.items()}
        known: dict[Hashable, list[tuple[Arrow, list[Curve]]]] = {}
        for arrow in self._before.arrows:
            key = _ends(arrow, self._before.boxes[arrow.tail], self._before.boxes[arrow.head])
            known.setdefault(key, []).append((arrow, [next(ways[leg]) for leg in arrow.legs]))
        return known

    def _moved_ways(self, ways: list[Curve], tail: Point | None, head: Point | None) -> list[Curve]:
        """The lines, stretched as all is; where they begin or end at a box that moved as a whole, they move with it."""
        found = [[self._down(v) if i % 2 else self._across(v) for i, v in enumerate(way)] for way in ways]
        if tail is not None:
            found[0][:4] = _shifted(ways[0][:4], *tail)
        if head is not None:
            found[-1][-4:] = _shifted(ways[-1][-4:], *head)
        return [tuple(way) for way in found]

    def _shift_of(self, number: int) -> Point | None:
        """How far a box of the old picture has moved, None if it is one that opened."""
        if _key(self._before.boxes[number]) not in self._new:
            return None
        x, y = self._at.boxes[f"n{number}"]
        return self._across(x) - x, self._down(y) - y


def _ends(arrow: Arrow, tail: Box, head: Box) -> Hashable:
    """What makes an arrow the same one: what it is, and the nodes that it leads from and to."""
    return arrow.source or _key(tail), arrow.target or _key(head), arrow.kind


def _shifted(way: Curve, dx: float, dy: float) -> Curve:
    return tuple(v + (dy if i % 2 else dx) for i, v in enumerate(way))


def _connected(first: Curve, then: Curve) -> Curve:
    """One line of two, or of one and a point before or behind it, with an upright curve between them."""
    x, y = first[-2:]
    to_x, to_y = then[:2]
    middle = (y + to_y) / 2
    return (*first, x, middle, to_x, middle, *then)
