"""Abstract values: facts about a value in code before the code runs.

A value is a set of possibilities, each one of the classes below; `UNKNOWN` among them says that it may be anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import PurePath
from types import CellType, CodeType
from typing import Any, Protocol

AbstractValue = frozenset[Any]
_MOST = 48
"""Maximum number of possibilities of a value; a value with more may be anything."""


class Special(Enum):
    """Possibilities without content."""

    UNKNOWN = auto()
    OWN = auto()
    """A path that no other task has: a file that was given to the task, a name made by `tempfile`."""
    OPEN_FILE = auto()
    GLOBALS = auto()
    """What `globals()` returns."""
    SLICE = auto()
    """A key such as `1:`."""


@dataclass(frozen=True, slots=True)
class InputPiece:
    """The text of a task's input, known once the task is about to run."""

    name: str


@dataclass(frozen=True, slots=True)
class KnownText:
    """A text or path, known as a whole (`end` is None) or by its start and end.

    Attributes:
        start: how it starts, or the whole of it.
        end: how it ends.
        pieces: all of it, if the rest comes from inputs: texts, inputs, and `PATH_JOIN` between parts of a path.
    """

    start: str
    end: str | None = None
    pieces: tuple[str | InputPiece, ...] | None = None

    def all_pieces(self) -> tuple[str | InputPiece, ...] | None:
        """Return the pieces of a text that is known, at the latest when its task runs."""
        return (self.start,) if self.end is None else self.pieces


PATH_JOIN = "\0/"
"""Between two parts of a path, where an absolute part starts the path again."""


@dataclass(frozen=True, slots=True)
class Shared:
    """An object, or a variable, that several tasks can reach.

    Attributes:
        key: the object's identity, or the variable's module and name.
        name: what it is called in messages.
    """

    key: Any
    name: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shared) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __str__(self) -> str:
        return self.name


class ExistingObject:
    """An existing object that is reached by `owner`."""

    __slots__ = ("owner", "value")

    def __init__(self, value: Any, owner: Shared) -> None:
        self.value = value
        self.owner = owner

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ExistingObject) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


@dataclass(frozen=True, slots=True)
class Instance:
    """A new object of one of the user's classes."""

    cls: type


@dataclass(frozen=True, slots=True)
class LibraryResult:
    """What an installed function or class returned, by its dotted name; a plain number or table has one as well.

    Attributes:
        name: the dotted name.
        input: the task's input that it is, of a plain number.
    """

    name: str
    input: str | None = None


@dataclass(frozen=True, slots=True)
class NewCollection:
    """A new collection of values.

    Attributes:
        values: what it may hold.
        length: of a tuple whose length is known, the length.
        is_list: whether it is known to be a list.
    """

    values: AbstractValue
    length: int | None = None
    is_list: bool = False


@dataclass(frozen=True, slots=True)
class Method:
    """An attribute of an object that isn't the user's own."""

    owner: Any
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class LocalFunction:
    """A function that the code defines, and where its free variables are."""

    code: CodeType
    scope: dict[str, Any]
    free: Mapping[str, CellType | dict[str, AbstractValue]]
    defaults: AbstractValue


@dataclass(frozen=True, slots=True)
class BoundFunction:
    """A function of the user's with its first argument."""

    function: Any
    first: AbstractValue


class Effects(Protocol):
    """Interface for what the interpreter reports and for the results of operations."""

    def attribute(self, owner: AbstractValue, name: str) -> AbstractValue: ...
    def call(
        self, callee: AbstractValue, args: Sequence[AbstractValue], named: Mapping[str, AbstractValue], *, is_kept: bool
    ) -> AbstractValue: ...
    def imported(self, name: str, scope: dict[str, Any], level: int, takes: bool) -> AbstractValue: ...
    def loaded_global(self, scope: dict[str, Any], name: str) -> AbstractValue: ...
    def stored_global(self, scope: dict[str, Any], name: str) -> None: ...
    def loaded_cell(self, shared: Shared) -> None: ...
    def stored_cell(self, shared: Shared) -> None: ...
    def stored_attribute(self, owner: AbstractValue, name: str, value: AbstractValue) -> None: ...
    def changed_items(self, owner: AbstractValue) -> None: ...
    def item(self, owner: AbstractValue, key: AbstractValue) -> AbstractValue: ...
    def read(self, value: AbstractValue) -> None: ...
    def divided(self, left: AbstractValue, right: AbstractValue) -> AbstractValue: ...


UNKNOWN: AbstractValue = frozenset([Special.UNKNOWN])
OWN: AbstractValue = frozenset([Special.OWN])
OPEN_FILE: AbstractValue = frozenset([Special.OPEN_FILE])
_PLAIN = "plain"
PLAIN: AbstractValue = frozenset([LibraryResult(_PLAIN)])
"""A number, a date, a table: anything that isn't a path and isn't shared."""

SELECTION: AbstractValue = frozenset([LibraryResult("selection")])
"""A truth value, or a new array of truth values or positions: indexing an array or a table with it copies."""


def text_input(name: str) -> AbstractValue:
    """Return a task's input that is a text."""
    return frozenset([KnownText("", "", (InputPiece(name),))])


def number_input(name: str) -> AbstractValue:
    """Return a task's input that is a plain number."""
    return frozenset([LibraryResult(_PLAIN, name)])


def join(values: Iterable[AbstractValue]) -> AbstractValue:
    """Return a value that may be any of these."""
    joined: AbstractValue = frozenset().union(*values)
    return joined if len(joined) <= _MOST else UNKNOWN


def new_collection(values: Iterable[AbstractValue]) -> AbstractValue:
    """Return a collection that holds these."""
    return frozenset([NewCollection(join(values))])


def existing(value: Any, owner: Shared) -> AbstractValue:
    """Return an existing object as a value."""
    if isinstance(value, str):
        return frozenset([KnownText(str.__str__(value))])
    if isinstance(value, PurePath):
        return frozenset([KnownText(str(value))])
    if value is None or isinstance(value, int | float | complex | bytes):
        return PLAIN
    return frozenset([ExistingObject(value, owner)])


def constant(value: Any) -> AbstractValue:
    """Return a constant of the code as a value."""
    if isinstance(value, str):
        return frozenset([KnownText(value)])
    if isinstance(value, tuple | frozenset):
        return frozenset([NewCollection(join(map(constant, value)), len(value))])
    return frozenset([value]) if isinstance(value, CodeType) else PLAIN


def texts(value: AbstractValue) -> Iterable[KnownText]:
    """Return the texts that a value may be."""
    return [one for one in value if isinstance(one, KnownText)]


def joined_text(parts: Iterable[AbstractValue], *, is_formatted: bool = False) -> AbstractValue:
    """Return the text that is put together of parts, each of which may be known or not.

    Args:
        parts: the parts in order.
        is_formatted: whether numbers among them are written as text.
    """
    start, end, is_whole, is_first = "", "", True, True
    pieces: tuple[str | InputPiece, ...] | None = ()
    for part in parts:
        if is_private_path(part):
            return OWN
        only = next(iter(part)) if len(part) == 1 else None
        more = only.all_pieces() if isinstance(only, KnownText) else None
        if is_formatted and isinstance(only, LibraryResult) and only.input is not None:
            more = (InputPiece(only.input),)
        pieces = None if pieces is None or more is None else (*pieces, *more)
        if isinstance(only, KnownText):
            start, end = (start + only.start, end) if is_whole else (start, end + only.start)
            if only.end is not None:
                is_whole, end = False, only.end
        else:
            is_whole, end = False, ""
        is_first = False
    return PLAIN if is_first else frozenset([KnownText(start, None) if is_whole else KnownText(start, end, pieces)])


def without_inputs(value: AbstractValue) -> AbstractValue:
    """Return a value of which no part is known from the task's inputs, since it was changed in between."""
    return frozenset(
        KnownText(one.start, one.end)
        if isinstance(one, KnownText)
        else LibraryResult(one.name)
        if isinstance(one, LibraryResult)
        else one
        for one in value
    )


def is_private_path(value: AbstractValue) -> bool:
    """Return whether a value is, or is taken from, a path of the task's own."""
    return bool(value) and all(
        one is Special.OWN or (isinstance(one, Method) and is_private_path(frozenset([one.owner]))) for one in value
    )
