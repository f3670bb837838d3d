"""What a display is given, and the order in which displays are tried; rendering is left to `shown`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from flytenb.display.limits import Limits
from flytenb.display.part import Entry, Group, Note, Part, Section, Value, Window, with_fact
from flytenb.display.registry import Display, Registry
from flytenb.display.selection import PAGE_SIZES, Path, Selection, Selections
from flytenb.display.type_displays import declared_displays
from flytenb.wording.types import member_of, type_text, union_members
from flytenb.wording.values import brief, class_name, clip, is_told_by_repr, pass_interrupt

_TOLD = (list, tuple, set, frozenset, dict)
"""Containers whose short form says all there is, unless something in it is left out."""
_FEW = 8
"""So many lines of the outermost level are open from the start, where a reader chooses."""


@dataclass
class _Work:
    """What all views of one `show` share: which values are open, how many may still be, until when."""

    nodes: int
    deadline: float
    clock: Callable[[], float]
    open_ids: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class View:
    """What a display knows about the place where its value is shown, and how it shows what is inside the value.

    Attributes:
        registry: where displays are looked up.
        limits: how much is shown.
        declared: the declared type of the value, if there is one.
        depth: how many values are open around this one.
        selections: what a reader has chosen to see, `None` in a still display.
        path: where the value lies within the outermost one.
    """

    registry: Registry
    limits: Limits
    work: _Work
    declared: Any = None
    depth: int = 0
    selections: Selections | None = None
    path: Path = ()

    @classmethod
    def start(
        cls,
        registry: Registry,
        limits: Limits,
        selections: Selections | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> View:
        """Return the view of an outermost value."""
        return cls(
            registry, limits, _Work(limits.nodes, clock() + limits.seconds, clock), depth=-1, selections=selections
        )

    @property
    def selection(self) -> Selection:
        """What the reader chose to see of this value."""
        return Selection() if self.selections is None else self.selections.at(self.path)

    @property
    def place(self) -> str:
        """What controls call this value; `""` where nobody can choose."""
        return json.dumps(self.path) if self.selections is not None and self.selections.is_live else ""

    @property
    def is_late(self) -> bool:
        """Whether showing the outermost value has taken as long as it may."""
        return self.work.clock() > self.work.deadline

    def page(self, total: int, size: int = 0) -> tuple[int, int]:
        """Return from where up to where rows (or entries, `size` of them) are shown.

        A display that keeps to it, and gives the `window` to its part, can be paged through.
        """
        size = self._page_size(size)
        start = max(min(self.selection.start, total - 1), 0)
        start -= start % size
        return start, min(start + size, total)

    def _page_size(self, own: int) -> int:
        if self.selections is None:
            return own or self.limits.rows
        return min(self.selection.size or own or PAGE_SIZES[0], PAGE_SIZES[-1])

    def columns(self, width: int) -> tuple[int, int]:
        """Return from where up to where the columns are shown."""
        if self.selections is None:
            return 0, min(self.limits.columns, width)
        left = max(min(self.selection.left, width - 1), 0)
        # One place is taken by the rows' numbers.
        return left, min(left + self.limits.columns - 1, width)

    def window(
        self, total: int, *, size: int = 0, width: int = 0, is_table: bool = False, note: str = ""
    ) -> Window | None:
        """Return what a part says about the rows that are shown; `None` in a still display.

        Args:
            total: how many rows there are to be paged through.
            size: how many a page has by itself.
            width: how many columns there are.
            is_table: whether the display also sorts and searches as `look` says.
            note: what a reader should know about the choice.
        """
        if self.selections is None:
            return None
        look = self.selection
        return Window(
            place=self.place,
            start=self.page(total, size)[0],
            size=self._page_size(size),
            total=total,
            left=self.columns(width)[0],
            width=width,
            sort=look.sort,
            is_descending=look.is_descending,
            can_find=is_table,
            find=look.find,
            note=note,
        )

    def inside(self, step: str) -> View:
        """Return the view of something inside the value, by the step that leads there."""
        return self if self.selections is None else replace(self, path=(*self.path, step))

    def show(self, value: Any, declared: Any = None) -> Part:
        """Return the value as its own display shows it, or in short if it lies too deep, is a cycle or is too much.

        Never raises: what can't be shown is named, with the reason.
        """
        if why := self._why_not(value):
            return Group((Value(brief(value), class_name(value)), Note(why)))
        self.work.nodes -= 1
        self.work.open_ids.add(id(value))
        try:
            return self._shown(value, declared)
        except BaseException as error:
            pass_interrupt(error)
            # Outside of any display: a type that can't be read, an object that lies about its class.
            return fallback_part(value, error)
        finally:
            self.work.open_ids.discard(id(value))

    def entries(self, items: Iterable[tuple[str, Any, Any]], start: int = 0) -> tuple[Entry, ...]:
        """Return lines of a tree for names, values and declared types: as many as fit one level.

        All lines of a level come first and what unfolds below them shares what is left: a deep first item doesn't
        take the place of its siblings.

        Args:
            items: what the lines are of.
            start: the number of the first one, which tells it from others of the same name.
        """
        room = max(min(self.limits.items, self.work.nodes), 1)
        listed = list(islice(items, room))
        self.work.nodes -= len(listed)
        is_open = not self.path and len(listed) <= _FEW
        return tuple(
            self.inside(str(start + number)).entry(name, value, declared, is_open=is_open)
            for number, (name, value, declared) in enumerate(listed)
        )

    def entry(self, name: str, value: Any, declared: Any = None, *, is_open: bool = False) -> Entry:
        """Return a line of a tree: the value in short, and unfolding if that doesn't say all.

        Where a reader chooses, it is unfolded when it is asked for, however deep it lies.
        """
        known = "" if value is None else class_name(value)
        if declared is not None and declared is not Any:
            known = type_text(declared)
        short = self.brief(value)
        if is_plain(value) or (type(value) in _TOLD and "…" not in short and "<" not in short):
            return Entry(name, known, short)
        if why := self._why_not(value):
            return Entry(name, known, short, (why,))
        if self.selections is not None:
            if self.selection.is_open is not None:
                is_open = self.selection.is_open
            if not is_open:
                return Entry(name, known, short, place=self.place)
        return replace(self._unfolded(name, known, short, value, declared), place=self.place)

    def _unfolded(self, name: str, known: str, short: str, value: Any, declared: Any) -> Entry:
        part = self.show(value, declared)
        if isinstance(part, Value):
            return Entry(name, known, short, inside=None if self.selections is None else part)
        if isinstance(part, Section):
            # Its head line would repeat this one; where nothing is declared it knows best what the items are.
            return Entry(name, known if declared is not None else part.title, short, part.facts, part.body)
        return Entry(name, known, short, (), part)

    def brief(self, value: Any, limit: int = 0) -> str:
        """Return the value in one short line; what would have to be asked for it is asked only while there is time."""
        if self.is_late and is_told_by_repr(value):
            return f"<{class_name(value)}, left out>"
        return brief(value, limit or self.limits.cell)

    def _why_not(self, value: Any) -> str:
        if id(value) in self.work.open_ids and not is_plain(value):
            return "this value contains itself"
        if self.depth >= self.limits.depth:
            return "deeper levels are left out"
        if self.work.nodes <= 0:
            return "left out: there is too much to show"
        # The outermost value is always shown.
        if self.depth >= 0 and self.is_late:
            return f"left out: showing this took more than {self.limits.seconds:g} s"
        return ""

    def _shown(self, value: Any, declared: Any) -> Part:
        members = union_members(declared)
        chosen = member_of(value, members) if members else declared
        view = replace(self, declared=chosen, depth=self.depth + 1)
        part = view.first_of(view._candidates(value), value)
        if members:
            part = with_fact(part, f"of {type_text(declared)}", class_name(value))
        return part

    def first_of(self, displays: Iterable[Display], value: Any) -> Part:
        """Return the value as the first of some displays shows it that can; why the others couldn't stands below."""
        failures: list[Part] = []
        for display in displays:
            try:
                result = display(value, self)
                if result is NotImplemented or result is value:
                    continue
                part = result if isinstance(result, Part) else self.show(result)
            except BaseException as error:
                pass_interrupt(error)
                failures.append(Note(f"the display {_display_name(display)} raised {brief(error, 160)}"))
                continue
            return Group((part, *failures)) if failures else part
        text = Value(clip(brief(value, self.limits.block), self.limits.block), class_name(value))
        return Group((text, *failures)) if failures else text

    def _candidates(self, value: Any) -> Iterator[Display]:
        yield from declared_displays(self.declared, value)
        yield from self.registry.candidates(value)


def fallback_part(value: Any, error: BaseException) -> Part:
    """Return what is left when a value couldn't be shown: its short form and why."""
    return Group((Value(brief(value), class_name(value)), Note(f"showing it raised {brief(error, 160)}")))


def is_plain(value: Any) -> bool:
    """Whether a value is a scalar, of which nothing can unfold."""
    return value is None or type(value) in (bool, int, float, complex)


def _display_name(display: Display) -> str:
    return str(getattr(display, "__qualname__", brief(display, 40))).rpartition("<locals>.")[2]
