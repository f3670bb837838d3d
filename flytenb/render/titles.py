"""Places for the titles of frames, beside the arrows that enter the frames from above."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice, pairwise

from flytenb.locks import cached_property
from flytenb.render.clearance import Rect, points_of, rects_of
from flytenb.render.layout import Curve, Point, Positions
from flytenb.render.scene import Scene
from flytenb.render.shapes import FRAME_MARGIN, TITLE_HEIGHT, TITLE_TOP, Frame, Line
from flytenb.render.surroundings import Surroundings

_INSET = 12.0
"""Distance of a title from the borders of its frame."""
_GAP = 6.0
"""Pixels between a title and an arrow."""
_BELOW = 8.0
"""Pixels between a title and what is in the frame."""
_LEAST_STATE = 44.0
"""Least pixels for the state of a frame, such as `✓ 1.3 s`."""
_ICON = 26.0
"""Width of the phase icon at the right border of a frame."""


class Titles:
    """The titles of a layout.

    Attributes:
        at: the layout with the titles, their frames, and the arrows to these. The upper border of a frame whose title
            is a node is above that node. A frame whose title has no room beside an arrow is as wide as it needs, if
            nothing is in the way.
        crossed: the frames whose title has no place beside the arrows.
    """

    def __init__(self, scene: Scene, at: Positions) -> None:
        self._scene, self._at = scene, at
        self._frames = dict(at.frames)
        self._places: dict[int, float] = {}
        self._states: dict[int, float] = {}
        self._is_widened = False
        self.crossed: set[int] = set()
        content = _tops(scene, at)
        for frame in reversed(scene.frames):  # inner before outer
            left, top, right, bottom = self._frames[f"cluster_{frame.number}"]
            node = at.boxes.get(f"t{frame.number}")
            if node is None:
                self._place(frame, (left, top, right, bottom))
                continue
            self._places[frame.number] = node[0] - frame.title_width / 2
            lowest = content.get(frame.number, bottom) - _BELOW - TITLE_HEIGHT
            for y in (lowest, node[1] - TITLE_HEIGHT / 2):
                rect = (left, y - TITLE_TOP, right, bottom)
                self._frames[f"cluster_{frame.number}"] = rect
                place = self._free_place(frame, rect)
                if place is not None:
                    self._places[frame.number] = place
                    break
            if frame.frame is not None:
                content[frame.frame] = min(content.get(frame.frame, bottom), rect[1])
        arrows = {ends: list(ways) for ends, ways in at.arrows.items()}
        for arrow in scene.arrows:
            if arrow.head_frame is not None and f"t{arrow.head_frame}" in at.boxes:
                ways, rect = arrows[arrow.legs[-1]], self._frames[f"cluster_{arrow.head_frame}"]
                ways[:] = [_continued(way, rect) for way in ways]
        found = replace(at, frames=self._frames, titles=self._places, states=self._states, arrows=arrows)
        self.at = _fitted(scene, found) if self._is_widened else found

    @cached_property
    def _surroundings(self) -> Surroundings:
        return Surroundings(self._scene, self._at)

    @cached_property
    def _lines(self) -> list[list[Point]]:
        return [points_of(way) for ways in self._at.arrows.values() for way in ways]

    def _place(self, frame: Frame, rect: Rect) -> None:
        left, _, right, _ = rect
        taken = self._taken(rect)
        ends = left + _INSET + frame.title_width - _ICON, right - _ICON
        if not any(a < ends[0] + _GAP or b > ends[1] for a, b in taken):
            return
        state, least = max(end for _, end in taken) + _GAP, max(Line(frame.title.rest, "").width, _LEAST_STATE) + _ICON
        needed = taken[0][0] - _GAP - frame.name_width - _INSET, state + least
        is_beside = left <= needed[0] and needed[1] <= right and not frame.is_handler
        place = None if is_beside else self._free_place(frame, rect)
        if place is not None:
            self._places[frame.number] = place
        elif is_beside or (not frame.is_handler and self._widen(frame, rect, needed)):
            self._states[frame.number] = state
        else:
            self.crossed.add(frame.number)

    def _widen(self, frame: Frame, rect: Rect, needed: tuple[float, float]) -> bool:
        """Fit a frame to its content and to a title that needs an interval; return False if something is in the way."""
        content = self._surroundings.sides_of(frame.number, self._frames)
        left, right = min(needed[0], content[0] - FRAME_MARGIN), max(needed[1], content[1] + FRAME_MARGIN)
        new = {frame.number: (left, rect[1], right, rect[3])}
        if self._taken(new[frame.number]) != self._taken(rect):
            return False
        for number in islice(self._surroundings.around(frame.number), 1, None):
            x, top, to_x, bottom = self._frames[f"cluster_{number}"]
            left, right = min(x, left - FRAME_MARGIN), max(to_x, right + FRAME_MARGIN)
            new[number] = (left, top, right, bottom)
        if not all(self._surroundings.is_free(number, wide, self._frames) for number, wide in new.items()):
            return False
        self._frames |= {f"cluster_{number}": wide for number, wide in new.items()}
        self._is_widened = True
        return True

    def _free_place(self, frame: Frame, rect: Rect) -> float | None:
        """Return where the first gap between arrows for the title and its icon begins."""
        left, _, right, _ = rect
        start = left + _INSET
        for x, end in self._taken(rect):
            if x >= start + frame.title_width + _GAP:
                break
            start = max(start, end + _GAP)
        return start if start + frame.title_width <= right - _GAP else None

    def _taken(self, rect: Rect) -> list[tuple[float, float]]:
        """Return the intervals of x that arrows take in the line of a title, from the left."""
        left, top, right, _ = rect
        low, high = top + TITLE_TOP - 2, top + TITLE_TOP + TITLE_HEIGHT + 2
        found = []
        for line in self._lines:
            for (x0, y0), (x1, y1) in pairwise(line):
                if max(y0, y1) < low or min(y0, y1) > high:
                    continue
                if y0 != y1:  # only the part inside
                    shares = [min(max((y - y0) / (y1 - y0), 0.0), 1.0) for y in (low, high)]
                    x0, x1 = (x0 + share * (x1 - x0) for share in shares)
                if max(x0, x1) >= left and min(x0, x1) <= right:
                    found.append((min(x0, x1), max(x0, x1)))
        return sorted(found)


def _fitted(scene: Scene, at: Positions) -> Positions:
    """Return a layout moved sideways, and as wide as what is in it."""
    rects = [*at.frames.values(), *(rect for _, rect in rects_of(scene, at))]
    across = [x for ways in at.arrows.values() for way in ways for x in way[::2]]
    left, right = min(*across, *(x for x, *_ in rects)), max(*across, *(x for _, _, x, _ in rects))
    return replace(
        at,
        width=right - left,
        boxes={name: (x - left, y) for name, (x, y) in at.boxes.items()},
        frames={name: (x0 - left, y0, x1 - left, y1) for name, (x0, y0, x1, y1) in at.frames.items()},
        arrows={ends: [_moved(way, left) for way in ways] for ends, ways in at.arrows.items()},
        titles={number: x - left for number, x in at.titles.items()},
        states={number: x - left for number, x in at.states.items()},
    )


def _moved(way: Curve, left: float) -> Curve:
    return tuple(place if i % 2 else place - left for i, place in enumerate(way))


def _continued(way: Curve, rect: Rect) -> Curve:
    """Return a curve that ends above a frame, continued to its upper border; others as they are."""
    left, top, right, _ = rect
    x, y = way[-2:]
    if y >= top - 1:
        return way
    to_x = min(max(x, left + _INSET), right - _INSET)
    dx, dy = (to_x - x) / 3, (top - y) / 3
    return (*way, x + dx, y + dy, to_x - dx, top - dy, to_x, top)


def _tops(scene: Scene, at: Positions) -> dict[int, float]:
    """Return the uppermost border of what is directly in each frame; a frame in it counts where the engine put it."""
    found: dict[int, float] = {}
    for box in scene.boxes:
        if box.frame is not None:
            top = at.boxes[f"n{box.number}"][1] - box.height / 2
            found[box.frame] = min(found.get(box.frame, top), top)
    for frame in scene.frames:
        if frame.frame is not None and f"t{frame.number}" not in at.boxes:
            top = at.frames[f"cluster_{frame.number}"][1]
            found[frame.frame] = min(found.get(frame.frame, top), top)
    return found
