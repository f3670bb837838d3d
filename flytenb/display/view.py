"""Views: the context of a display, and the order in which displays are tried."""

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
from flytenb.wording.quantities import duration_text
from flytenb.wording.types import member_of, type_text, union_members
from flytenb.wording.values import brief, class_name, clip, is_told_by_repr, pass_interrupt

_TOLD = (list, tuple, set, frozenset, dict)
"""Containers whose repr shows everything, unless it is shortened."""
_FEW = 8
"""Most entries of the outermost level that are open at first in an interactive display."""


@dataclass
class _Work:
    """State shared by all views of one `show`: open values, remaining nodes, deadline."""

    nodes: int
    deadline: float
    clock: Callable[[], float]
    open_ids: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class View:
    """Context in which a display shows a value; it also shows nested values. Created by `flytenb.show`.

    Attributes:
        limits: how much is shown.
        declared: the declared type of the value, if any.
    """

    limits: Limits
    declared: Any
    _registry: Registry  # where displays are looked up
    _work: _Work
    _selections: Selections | None = None  # the reader's choices
    _depth: int = -1  # the number of values around this one
    _path: Path = ()  # the value's place within the outermost one

    @classmethod
    def _start(
        cls,
        registry: Registry,
        limits: Limits,
        selections: Selections | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> View:
        """Return the view of an outermost value."""
        work = _Work(limits.nodes, clock() + limits.seconds, clock)
        return cls(limits, None, registry, work, selections)

    @property
    def is_interactive(self) -> bool:
        """Whether the reader can page, sort and search, as in `flytenb.explore`."""
        return self._selections is not None

    @property
    def selection(self) -> Selection:
        """The reader's selection for this value."""
        return Selection() if self._selections is None else self._selections.at(self._path)

    @property
    def place(self) -> str:
        """Id of this value for controls; `""` in a static display."""
        return json.dumps(self._path) if self._selections is not None and self._selections.is_live else ""

    @property
    def is_late(self) -> bool:
        """Whether the time limit of the outermost value has passed."""
        return self._work.clock() > self._work.deadline

    def page(self, total: int, size: int = 0) -> tuple[int, int]:
        """Return the start and stop of the rows (or entries, `size` of them) to show.

        A display that uses this range and gives the `window` to its part supports paging.
        """
        size = self._page_size(size)
        start = max(min(self.selection.start, total - 1), 0)
        start -= start % size
        return start, min(start + size, total)

    def _page_size(self, own: int) -> int:
        if self._selections is None:
            return own or self.limits.rows
        return min(self.selection.size or own or PAGE_SIZES[0], PAGE_SIZES[-1])

    def columns(self, width: int) -> tuple[int, int]:
        """Return the start and stop of the columns to show."""
        if self._selections is None:
            return 0, min(self.limits.columns, width)
        left = max(min(self.selection.left, width - 1), 0)
        # The row numbers take one column.
        return left, min(left + self.limits.columns - 1, width)

    def window(
        self, total: int, *, size: int = 0, width: int = 0, is_table: bool = False, note: str = ""
    ) -> Window | None:
        """Return the window of a part; `None` in a static display.

        Args:
            total: number of rows after searching.
            size: default number of rows per page.
            width: number of columns.
            is_table: whether the display sorts and searches by `selection`.
            note: a remark on the selection.
        """
        if self._selections is None:
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
        """Return the view of a nested value, reached by `step`."""
        return self if self._selections is None else replace(self, _path=(*self._path, step))

    def show(self, value: Any, declared: Any = None) -> Part:
        """Return the part of a value; its short form if it is too deep, contains itself or exceeds a limit.

        Never raises: a failure is shown with its reason.
        """
        if why := self._why_not(value):
            return Group((Value(brief(value), class_name(value)), Note(why)))
        self._work.nodes -= 1
        self._work.open_ids.add(id(value))
        try:
            return self._shown(value, declared)
        except BaseException as error:
            pass_interrupt(error)
            # Raised outside of a display: by a type that can't be inspected, or an object with a wrong `__class__`.
            return fallback_part(value, error)
        finally:
            self._work.open_ids.discard(id(value))

    def entries(self, items: Iterable[tuple[str, Any, Any]], start: int = 0) -> tuple[Entry, ...]:
        """Return tree entries for triples of name, value and declared type, as many as fit one level.

        All entries of a level are counted before nested ones, which share the remaining nodes, so that a deep first
        entry doesn't displace its siblings.

        Args:
            items: the triples.
            start: index of the first one, part of its place.
        """
        room = max(min(self.limits.items, self._work.nodes), 1)
        listed = list(islice(items, room))
        self._work.nodes -= len(listed)
        is_open = not self._path and len(listed) <= _FEW
        return tuple(
            self.inside(str(start + number)).entry(name, value, declared, is_open=is_open)
            for number, (name, value, declared) in enumerate(listed)
        )

    def entry(self, name: str, value: Any, declared: Any = None, *, is_open: bool = False) -> Entry:
        """Return a tree entry: the value's short form, and its full form nested where that adds something.

        In an interactive display it is nested only while it is open, at any depth.
        """
        known = "" if value is None else class_name(value)
        if declared is not None and declared is not Any:
            known = type_text(declared)
        short = self.brief(value)
        if is_plain(value) or (type(value) in _TOLD and "…" not in short and "<" not in short):
            return Entry(name, known, short)
        if why := self._why_not(value):
            return Entry(name, known, short, (why,))
        is_short = type(value) is str and len(value) <= self.limits.cell and "\n" not in value
        if self._selections is not None and not is_short:
            if self.selection.is_open is not None:
                is_open = self.selection.is_open
            if not is_open:
                return Entry(name, known, short, place=self.place)
        unfolded = self._unfolded(name, known, short, value, declared)
        return unfolded if unfolded.inside is None else replace(unfolded, place=self.place)

    def _unfolded(self, name: str, known: str, short: str, value: Any, declared: Any) -> Entry:
        part = self.show(value, declared)
        if isinstance(part, Value):
            return Entry(name, known, short, part.facts if self._selections is not None else ())
        if isinstance(part, Section):
            # Its head line would repeat this one; without a declared type its title is the more precise name.
            return Entry(name, known if declared is not None else part.title, short, part.facts, part.body)
        return Entry(name, known, short, (), part)

    def brief(self, value: Any, limit: int = 0) -> str:
        """Return the value on one line; after the deadline, nothing is called that may take long."""
        if self.is_late and is_told_by_repr(value):
            return f"<{class_name(value)}, left out>"
        return brief(value, limit or self.limits.cell)

    def _why_not(self, value: Any) -> str:
        if id(value) in self._work.open_ids and not is_plain(value):
            return "this value contains itself"
        if self._depth >= self.limits.depth:
            return "deeper levels are left out"
        if self._work.nodes <= 0:
            return "left out: there is too much to show"
        # The outermost value is always shown.
        if self._depth >= 0 and self.is_late:
            return f"left out: showing this took more than {duration_text(self.limits.seconds)}"
        return ""

    def _shown(self, value: Any, declared: Any) -> Part:
        members = union_members(declared)
        chosen = member_of(value, members) if members else declared
        view = replace(self, declared=chosen, _depth=self._depth + 1)
        part = view._first_of(view._candidates(value), value)
        if members:
            part = with_fact(part, f"of {type_text(declared)}", class_name(value))
        return part

    def _first_of(self, displays: Iterable[Display], value: Any) -> Part:
        """Return the part of the first display that accepts the value, with notes on displays that raised before."""
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
        yield from self._registry.candidates(value)


def fallback_part(value: Any, error: BaseException) -> Part:
    """Return the part for a value that couldn't be shown: its short form and the error."""
    return Group((Value(brief(value), class_name(value)), Note(f"showing it raised {brief(error, 160)}")))


def is_plain(value: Any) -> bool:
    """Whether a value is a scalar without nested values."""
    return value is None or type(value) in (bool, int, float, complex)


def _display_name(display: Display) -> str:
    return str(getattr(display, "__qualname__", brief(display, 40))).rpartition("<locals>.")[2]
