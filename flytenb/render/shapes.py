"""Elements of a picture and their sizes: lines of text, boxes, frames, arrows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from flytenb.model import EdgeKind, Node
from flytenb.render.text_metrics import measure

NAME_SIZE, SMALL_SIZE = 13.0, 11.0
LINE = 15.0
LEFT, RIGHT = 14.0, 11.0
MARK = 20.0
"""Room in pixels for the phase icon at the right end of the first line."""
NARROWEST, WIDEST = 96.0, 236.0
MOST_LINES = 4
"""Most lines of constants or ports in one box; the rest is counted."""
LABEL_WIDTH, WIDEST_LABEL = 132.0, 190.0
"""Pixels at which a label is wrapped, and up to which it isn't cut."""
TITLE_HEIGHT, TITLE_TOP = 18.0, 6.0
"""Height of a frame's title, and its distance from the frame's upper border."""
FRAME_MARGIN = 12.0
"""Least pixels between the border of a frame and what is in it."""
_STATE_WIDTH = 100.0
"""Pixels that a state takes after the name of a frame."""
WHOLE_STATE, PROGRESS, ATTEMPTS = 90.0, 22.0, 60.0
"""Room in pixels for `timed out · 6.5 s`, and for `37/100` and `3 attempts` as well; a state in less room has the sign
of its phase instead of the words."""


@dataclass(slots=True)
class Line:
    """One line of text in a box, followed by `rest` in grey."""

    text: str
    css: str
    size: float = SMALL_SIZE
    rest: str = ""

    @property
    def width(self) -> float:
        """The line's maximal width in pixels."""
        width = measure(self.text, self.size)
        return width + measure(self.rest, SMALL_SIZE) + 7 if self.rest else width


@dataclass(slots=True)
class Box:
    """One drawn node, or one pill with ports of an inputs or outputs node."""

    number: int
    path: str
    node: Node
    shape: str
    lines: list[Line]
    width: float
    height: float
    tip: str
    frame: int | None = None
    ports: tuple[str, ...] = ()


@dataclass(slots=True)
class Frame:
    """The border of an open container, around its boxes and inner frames."""

    number: int
    path: str
    node: Node
    title: Line
    tip: str
    width: float
    frame: int | None
    is_handler: bool = False

    @property
    def title_width(self) -> float:
        """Width of the title, or of its name with a state of a run, and of the phase icon."""
        return max(self.title.width, self.name_width + _STATE_WIDTH) + MARK

    @property
    def name_width(self) -> float:
        """Width of the title without its grey part."""
        return measure(self.title.text, self.title.size)


@dataclass(slots=True)
class Arrow:
    """One drawn edge. An arrow from a case to the join dot of its branch has empty paths."""

    number: int
    tail: int
    head: int
    kind: str
    source: str
    target: str
    label: list[str] = field(default_factory=list)
    tip: str = ""
    tail_frame: int | None = None
    head_frame: int | None = None

    @property
    def legs(self) -> tuple[tuple[str, str], ...]:
        """The pairs of DOT nodes between which the arrow is drawn; a label is a DOT node on the way."""
        start, end = f"n{self.tail}", f"n{self.head}"
        return ((start, f"l{self.number}"), (f"l{self.number}", end)) if self.label else ((start, end),)

    @property
    def label_size(self) -> tuple[float, float]:
        """Width and height of the label."""
        width = max(measure(line, SMALL_SIZE) for line in self.label)
        return width + (18 if self.kind == EdgeKind.CASE else 6), 14.0 * len(self.label) + 4


def text_of(lines: Iterable[Line]) -> list[str]:
    """Return lines as plain text, with their grey part."""
    return [
        f"{line.text}{': ' if line.css == 'ft-port' else '  '}{line.rest}" if line.rest else line.text for line in lines
    ]


def port_of(place: str) -> str:
    """Return the port of a binding path: `xs` for `xs[1]`."""
    return place.partition("[")[0].partition(".")[0]
