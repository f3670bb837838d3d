"""Parts: the frozen data that displays return and that the text and HTML renderers read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from flytenb.wording.kinds import phase_text
from flytenb.wording.quantities import bar_text
from flytenb.wording.text import class_name
from flytenb.wording.values import brief

_BAR_WIDTH = 40
PICTURE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"})
MEDIA_TYPES = frozenset({"audio/mpeg", "audio/wav", "audio/ogg", "audio/flac", "video/mp4", "video/webm", "video/ogg"})


@dataclass(frozen=True, slots=True)
class Part:
    """Base class of all parts. Text in a part is plain text; the renderers escape it."""


@dataclass(frozen=True, slots=True)
class Value(Part):
    """A value on one line: `5 (int)`.

    Attributes:
        text: the value's short form.
        type: its type as text, `""` if `text` includes it.
        facts: further properties: `naive`, `3 days`.
        name: its name, e.g. an output's name.
        is_number: whether it is aligned as a number.
    """

    text: str
    type: str = ""
    facts: tuple[str, ...] = ()
    name: str = ""
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Text(Part):
    """A block of text; `missing` is the number of characters left out."""

    text: str
    style: Literal["plain", "flow", "code", "markdown"] = "plain"
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Note(Part):
    """A remark by flytenb, such as what was left out and why."""

    text: str


@dataclass(frozen=True, slots=True, init=False)
class Facts(Part):
    """Names with values, one per line; values that aren't text are shortened."""

    rows: tuple[tuple[str, str], ...]

    def __init__(self, rows: Iterable[tuple[str, Any]]) -> None:
        object.__setattr__(self, "rows", tuple((str(k), _cell(v)) for k, v in rows))


class Null(str):
    """The text of a cell without a value (`None`, `nan`, `NaT`), which is shown dimmed."""

    __slots__ = ()


class PhaseCell(str):
    """A cell with a phase, `✓ succeeded`, in the colour of the phase; `phase` is the constant."""

    __slots__ = ("phase",)
    phase: str

    @classmethod
    def of(cls, phase: str, more: str = "", *, has_started: bool = True) -> PhaseCell:
        """Return the cell of a phase, with more text after it."""
        cell = cls(f"{phase_text(phase, has_started=has_started)} {more}".rstrip())
        cell.phase = str(phase)
        return cell


class RangeCell(str):
    """A cell that draws the range from `start` to `stop`, fractions of its width, as does its text; some are marked."""

    __slots__ = ("is_marked", "start", "stop")
    start: float
    stop: float
    is_marked: bool

    @classmethod
    def of(cls, start: float, stop: float, *, is_marked: bool = False) -> RangeCell:
        """Return the bar; in text it has 40 characters."""
        bar = cls(bar_text(start, stop, _BAR_WIDTH, is_marked=is_marked))
        bar.start, bar.stop, bar.is_marked = start, stop, is_marked
        return bar


@dataclass(frozen=True, slots=True)
class Column:
    """A table column: its name, its type and a summary of all its values (`1 … 9`, `3 nulls`).

    `key` identifies the column for sorting, -1 if it can't be sorted. `is_own` is False for a column that holds row
    numbers or labels. If `is_cut`, a long cell is cut where text would wrap it.
    """

    name: str
    type: str = ""
    summary: str = ""
    is_number: bool = False
    key: int = -1
    is_own: bool = True
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """The range of rows or entries that a part shows, where a reader may choose another one.

    Attributes:
        place: id of the value for controls; `""` in a static display.
        start: index of the first row or entry.
        size: requested number of rows or entries.
        total: number of rows or entries, after searching.
        left: index of the first column.
        width: number of columns.
        sort: key of the column that the rows are sorted by, -1 for none.
        is_descending: whether the order is descending.
        can_find: whether the rows can be searched.
        find: the searched text.
        note: a remark on the selection.
    """

    place: str
    start: int = 0
    size: int = 0
    total: int | None = None
    left: int = 0
    width: int = 0
    sort: int = -1
    is_descending: bool = False
    can_find: bool = False
    find: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, init=False)
class Table(Part):
    """The first rows and columns of tabular data.

    Columns may be plain names and cells any values, which are shortened. `total_rows` and `total_columns` are the full
    size (-1: just those given; `None`: unknown). With a `window` (from `view.window`) the rows are those that the
    reader selected. `at_least` rows are shown whatever the limit of a display. If `is_wrapped`, a narrow page wraps the
    cells, and text those of the last column.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    total_rows: int | None
    total_columns: int
    window: Window | None
    at_least: int
    is_wrapped: bool

    def __init__(
        self,
        columns: Iterable[Column | str],
        rows: Iterable[Iterable[Any]],
        total_rows: int | None = -1,
        total_columns: int = -1,
        window: Window | None = None,
        at_least: int = 0,
        *,
        is_wrapped: bool = False,
    ) -> None:
        made = tuple(c if isinstance(c, Column) else Column(str(c)) for c in columns)
        cells = tuple(tuple(map(_cell, row)) for row in rows)
        totals = len(cells) if total_rows == -1 else total_rows, len(made) if total_columns == -1 else total_columns
        for name, value in zip(Table.__slots__, (made, cells, *totals, window, at_least, is_wrapped), strict=True):
            object.__setattr__(self, name, value)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a tree; `inside` unfolds below it and repeats everything in `value`.

    Where the reader opens entries one by one, `place` is the entry's id for its control and `inside` is only set while
    it is open.
    """

    name: str
    type: str = ""
    value: str = ""
    facts: tuple[str, ...] = ()
    inside: Part | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Tree(Part):
    """Named entries that unfold; `total` is their full number (-1: just those given, `None`: unknown)."""

    entries: tuple[Entry, ...]
    total: int | None = -1
    window: Window | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "entries", tuple(self.entries))
        if self.total == -1:
            object.__setattr__(self, "total", len(self.entries))


@dataclass(frozen=True, slots=True)
class Picture(Part):
    """An image as bytes.

    `caption` is its text alternative. `width`, in CSS pixels, enlarges a small image without smoothing.
    """

    data: bytes
    mime: str = "image/png"
    caption: str = ""
    width: int = 0

    def __post_init__(self) -> None:
        if self.mime not in PICTURE_TYPES:
            raise ValueError(f"mime must be one of {', '.join(sorted(PICTURE_TYPES))}, got {self.mime!r}")
        if not isinstance(self.data, bytes):
            raise TypeError(f"the data of a picture must be bytes, got {class_name(self.data)}")


@dataclass(frozen=True, slots=True)
class Media(Part):
    """Sound or video as bytes."""

    data: bytes
    mime: str
    caption: str = ""

    def __post_init__(self) -> None:
        if self.mime not in MEDIA_TYPES:
            raise ValueError(f"mime must be one of {', '.join(sorted(MEDIA_TYPES))}, got {self.mime!r}")
        if not isinstance(self.data, bytes):
            raise TypeError(f"data must be bytes, got {class_name(self.data)}")


@dataclass(frozen=True, slots=True)
class Slices(Part):
    """The selected index along each axis of an array except the last two, as pairs of length and index."""

    axes: tuple[tuple[int, int], ...]
    place: str = ""


@dataclass(frozen=True, slots=True)
class Histogram(Part):
    """Distribution of numbers: counts in equal bins from `low` to `high`."""

    counts: tuple[int, ...]
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class Html(Part):
    """Foreign markup, shown in a sandboxed frame without scripts and network access.

    `text` is its plain-text form; by default the markup's visible text.
    """

    source: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class TrustedHtml(Part):
    """Markup of flytenb's own objects (a drawing, a run), inserted without a sandbox."""

    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Rich(Part):
    """A body with data for richer front ends, as pairs of MIME type and data; used if it is the whole output."""

    body: Part
    extra: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Scripted(Part):
    """A body with trusted markup whose scripts replace it in the page; used if it is the whole output.

    The creator of the markup must have escaped all user text in it.
    """

    body: Part
    markup: str


@dataclass(frozen=True, slots=True)
class Group(Part):
    """Parts one below the other."""

    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))


@dataclass(frozen=True, slots=True)
class Section(Part):
    """A head line (name, title and facts) over a body; with `is_folded` the HTML shows only the head line at first."""

    title: str
    facts: tuple[str, ...] = ()
    body: Part | None = None
    name: str = ""
    is_folded: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "facts", tuple(str(f) for f in self.facts if f))


def named_part(part: Part, name: str) -> Part:
    """Return the part with a name before it."""
    if not name:
        return part
    if isinstance(part, Value | Section):
        return replace(part, name=name)
    return Section("", body=part, name=name)


def with_fact(part: Part, fact: str, title: str = "") -> Part:
    """Return the part with one more fact in its head line, which is added if there is none."""
    if isinstance(part, Value | Section):
        return replace(part, facts=(*part.facts, fact))
    return Section(title, (fact,), part)


def _cell(value: Any) -> str:
    return value if type(value) in (str, Null, PhaseCell, RangeCell) else brief(value)
