"""What a display returns: small frozen pieces that both renderers read; how they look is left to `text` and `html`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from flytenb.wording.values import brief

PICTURE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"})
MEDIA_TYPES = frozenset({"audio/mpeg", "audio/wav", "audio/ogg", "audio/flac", "video/mp4", "video/webm", "video/ogg"})


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a display. All that a user's value says in one is plain text: escaping is the renderers' business."""


@dataclass(frozen=True, slots=True)
class Value(Part):
    """A value that fits one line: `5 (int)`.

    Attributes:
        text: the value in short.
        type: its type as a reader would write it, `""` if the text says it.
        facts: what else there is to know: `naive`, `3 days`.
        name: what it is called, e.g. an output's name.
        is_number: whether it is drawn as a number.
    """

    text: str
    type: str = ""
    facts: tuple[str, ...] = ()
    name: str = ""
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Text(Part):
    """A block of text; `missing` is how many more characters there are."""

    text: str
    style: Literal["plain", "flow", "code", "markdown"] = "plain"
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Note(Part):
    """A remark of ours: what was left out, and why."""

    text: str


@dataclass(frozen=True, slots=True, init=False)
class Facts(Part):
    """Names and what they are, one a line; anything but text is put in short."""

    rows: tuple[tuple[str, str], ...]

    def __init__(self, rows: Iterable[tuple[str, Any]]) -> None:
        object.__setattr__(self, "rows", tuple((str(k), _cell(v)) for k, v in rows))


@dataclass(frozen=True, slots=True)
class Column:
    """A table's column: its name, its type and a summary of all its values (`1 … 9`, `3 nulls`).

    Where a reader may sort by it, `key` is what its control says, -1 elsewhere. A column that only numbers or names
    the rows isn't the table's own.
    """

    name: str
    type: str = ""
    summary: str = ""
    is_number: bool = False
    key: int = -1
    is_own: bool = True


@dataclass(frozen=True, slots=True)
class Window:
    """Which stretch of something long a part shows, where a reader may choose another one.

    Attributes:
        place: where it lies, as controls name it; `""` where nobody can choose any more.
        start: its first row or entry.
        size: how many rows or entries are asked for.
        total: how many there are to be paged through: of a search, what was found.
        left: its first column.
        width: how many columns there are.
        sort: the key of the column that it is sorted by, -1 for none.
        is_descending: whether the largest comes first.
        can_find: whether it can be searched.
        find: what was searched for.
        note: what a reader should know about the choice.
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
    """The first rows and columns of something tabular.

    Columns may be given as plain names and cells as any value: they are put in short. `total_rows` and
    `total_columns` say how many there are in all (-1: just these; `None`: nobody knows). With a `window` (from
    `view.window`) the rows are those that a reader chose.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    total_rows: int | None
    total_columns: int
    window: Window | None

    def __init__(
        self,
        columns: Iterable[Column | str],
        rows: Iterable[Iterable[Any]],
        total_rows: int | None = -1,
        total_columns: int = -1,
        window: Window | None = None,
    ) -> None:
        made = tuple(c if isinstance(c, Column) else Column(str(c)) for c in columns)
        cells = tuple(tuple(map(_cell, row)) for row in rows)
        set_ = object.__setattr__
        set_(self, "columns", made)
        set_(self, "rows", cells)
        set_(self, "total_rows", len(cells) if total_rows == -1 else total_rows)
        set_(self, "total_columns", len(made) if total_columns == -1 else total_columns)
        set_(self, "window", window)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a tree: `inside`, if any, unfolds below it and says all that `value` says in short.

    Where a reader opens one after the other, `place` names the line for its control and `inside` comes when it is
    open.
    """

    name: str
    type: str = ""
    value: str = ""
    facts: tuple[str, ...] = ()
    inside: Part | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Tree(Part):
    """Named things that unfold; `total` says how many there are at this level (-1: just these)."""

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

    `caption` is what a reader without eyes for it gets; `width` (in the page's pixels) enlarges a small one, each of
    whose pixels then stays a square.
    """

    data: bytes
    mime: str = "image/png"
    caption: str = ""
    width: int = 0

    def __post_init__(self) -> None:
        if self.mime not in PICTURE_TYPES:
            raise ValueError(f"not a picture type: {self.mime!r}; known: {', '.join(sorted(PICTURE_TYPES))}")
        if not isinstance(self.data, bytes):
            raise TypeError(f"a picture's data must be bytes, not {type(self.data).__name__}")


@dataclass(frozen=True, slots=True)
class Media(Part):
    """Sound or film as bytes."""

    data: bytes
    mime: str
    caption: str = ""

    def __post_init__(self) -> None:
        if self.mime not in MEDIA_TYPES:
            raise ValueError(f"not a media type: {self.mime!r}; known: {', '.join(sorted(MEDIA_TYPES))}")
        if not isinstance(self.data, bytes):
            raise TypeError(f"a recording's data must be bytes, not {type(self.data).__name__}")


@dataclass(frozen=True, slots=True)
class Slices(Part):
    """Which element is chosen along each axis of an array but the last two: pairs of a length and the index in it."""

    axes: tuple[tuple[int, int], ...]
    place: str = ""


@dataclass(frozen=True, slots=True)
class Histogram(Part):
    """How numbers are spread: counts in equal bins from `low` to `high`."""

    counts: tuple[int, ...]
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class Html(Part):
    """Markup that somebody else wrote. It is shown in a sandboxed frame, without scripts and without a network.

    `text` is what its maker says in plain words; without it, what a reader of the markup would see.
    """

    source: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class TrustedHtml(Part):
    """What one of our own objects (a drawing, a run) makes of itself: the only markup that we trust."""

    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Rich(Part):
    """A body, and what a richer front end may show instead if it stands alone: pairs of MIME type and data."""

    body: Part
    extra: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Scripted(Part):
    """A body, and markup that takes its place by scripts of its own, if it stands alone in a page that runs them.

    It is trusted: nothing of a user's may stand in it but what its maker has escaped.
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
    """A head line (type and facts) over a body, which a reader unfolds if it `is_folded`: in text it always stands."""

    title: str
    facts: tuple[str, ...] = ()
    body: Part | None = None
    name: str = ""
    is_folded: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "facts", tuple(str(f) for f in self.facts if f))


def named_part(part: Part, name: str) -> Part:
    """Return the part with a name in front of it."""
    if not name:
        return part
    if isinstance(part, Value | Section):
        return replace(part, name=name)
    return Section("", body=part, name=name)


def with_fact(part: Part, fact: str, title: str = "") -> Part:
    """Return the part with one more fact in its head line, which is made if there is none."""
    if isinstance(part, Value | Section):
        return replace(part, facts=(*part.facts, fact))
    return Section(title, (fact,), part)


def _cell(value: Any) -> str:
    return value if type(value) is str else brief(value)
