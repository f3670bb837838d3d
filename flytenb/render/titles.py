"""Places for the titles of frames, beside the arrows that enter the frames from above."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise

from flytenb.render.clearance import Rect, points_of
from flytenb.render.layout import Curve, Point, Positions
from flytenb.render.scene import Scene
from flytenb.render.shapes import TITLE_HEIGHT, TITLE_TOP, Frame

_INSET = 12.0
"""Distance of a title from the borders of its frame."""
_GAP = 6.0
"""Pixels between a title and an arrow."""
_BELOW = 8.0
"""Pixels between a title and what is in the frame."""
_ICON = 26.0
"""Width of the phase icon at the right border of a frame."""


class Titles:
    """The titles of a layout.

    Attributes:
        at: the layout.
        frames: the rectangles of the frames; the upper border of one whose title is a node is above that node.
        places: the left end of each title that isn't at the left border, by the frame's number.
        crossed: the frames whose title has no place beside the arrows.
        arrows: the curves of the arrows, continued to the borders at which they end where these have moved.
    """

    def __init__(self, scene: Scene, at: Positions) -> None:
        self.at = at
        self.frames = dict(at.frames)
        self.places: dict[int, float] = {}
        self.crossed: set[int] = set()
        content = _tops(scene, at)
        for frame in reversed(scene.frames):  # inner before outer
            left, top, right, bottom = self.frames[f"cluster_{frame.number}"]
            node = at.boxes.get(f"t{frame.number}")
            if node is None:
                self._place(frame, (left, top, right, bottom))
                continue
            self.places[frame.number] = node[0] - frame.title_width / 2
            lowest = content.get(frame.number, bottom) - _BELOW - TITLE_HEIGHT
            for y in (lowest, node[1] - TITLE_HEIGHT / 2):
                rect = (left, y - TITLE_TOP, right, bottom)
                self.frames[f"cluster_{frame.number}"] = rect
                place = self._free_place(frame, rect)
                if place is not None:
                    self.places[frame.number] = place
                    break
            if frame.frame is not None:
                content[frame.frame] = min(content.get(frame.frame, bottom), rect[1])
        self.arrows = {ends: list(ways) for ends, ways in at.arrows.items()}
        for arrow in scene.arrows:
            if arrow.head_frame is not None and f"t{arrow.head_frame}" in at.boxes:
                ways, rect = self.arrows[arrow.legs[-1]], self.frames[f"cluster_{arrow.head_frame}"]
                ways[:] = [_continued(way, rect) for way in ways]

    @cached_property
    def _lines(self) -> list[list[Point]]:
        return [points_of(way) for ways in self.at.arrows.values() for way in ways]

    def _place(self, frame: Frame, rect: Rect) -> None:
        left, _, right, _ = rect
        taken = self._taken(rect)
        ends = left + _INSET + frame.title_width - _ICON, right - _ICON
        if not any(a < ends[0] + _GAP or b > ends[1] for a, b in taken):
            return
        place = self._free_place(frame, rect)
        if place is None:
            self.crossed.add(frame.number)
        else:
            self.places[frame.number] = place

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
