"""What a display is given, and the order in which displays are tried; rendering is left to `shown`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from flytenb.display.annotations import member_of, type_text, union_members
from flytenb.display.brief import brief, class_name, clip
from flytenb.display.declared import declared_displays
from flytenb.display.limits import Limits
from flytenb.display.part import Entry, Group, Note, Part, Section, Value, with_fact
from flytenb.display.registry import Display, Registry

_TOLD = (list, tuple, set, frozenset, dict)
"""Containers whose short form says all there is, unless something in it is left out."""


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
    """

    registry: Registry
    limits: Limits
    work: _Work
    declared: Any = None
    depth: int = 0

    @classmethod
    def start(cls, registry: Registry, limits: Limits, clock: Callable[[], float] = time.monotonic) -> View:
        """Return the view of an outermost value."""
        return cls(registry, limits, _Work(limits.nodes, clock() + limits.seconds, clock), depth=-1)

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
        except Exception as error:
            # Outside of any display: a type that can't be read, an object that lies about its class.
            return in_short(value, error)
        finally:
            self.work.open_ids.discard(id(value))

    def entries(self, items: Iterable[tuple[str, Any, Any]]) -> tuple[Entry, ...]:
        """Return lines of a tree for names, values and declared types: as many as fit one level.

        All lines of a level come first and what unfolds below them shares what is left: a deep first item doesn't
        take the place of its siblings.
        """
        room = max(min(self.limits.items, self.work.nodes), 1)
        listed = list(islice(items, room))
        self.work.nodes -= len(listed)
        return tuple(self.entry(name, value, declared) for name, value, declared in listed)

    def entry(self, name: str, value: Any, declared: Any = None) -> Entry:
        """Return a line of a tree: the value in short, and unfolding if that doesn't say all."""
        known = "" if value is None else class_name(value)
        if declared is not None and declared is not Any:
            known = type_text(declared)
        short = self.brief(value)
        if is_plain(value) or (type(value) in _TOLD and "…" not in short and "<" not in short):
            return Entry(name, known, short)
        if why := self._why_not(value):
            return Entry(name, known, short, (why,))
        part = self.show(value, declared)
        if isinstance(part, Value):
            return Entry(name, known, short)
        if isinstance(part, Section):
            # Its head line would repeat this one; where nothing is declared it knows best what the items are.
            return Entry(name, known if declared is not None else part.title, short, part.facts, part.body)
        return Entry(name, known, short, (), part)

    def brief(self, value: Any, limit: int = 0) -> str:
        """Return the value in one short line."""
        return brief(value, limit or self.limits.cell)

    def _why_not(self, value: Any) -> str:
        if id(value) in self.work.open_ids and not is_plain(value):
            return "this value contains itself"
        if self.depth >= self.limits.depth:
            return "deeper levels are left out"
        if self.work.nodes <= 0:
            return "left out: there is too much to show"
        # The outermost value is always shown.
        if self.depth >= 0 and self.work.clock() > self.work.deadline:
            return f"left out: showing this took more than {self.limits.seconds:g} s"
        return ""

    def _shown(self, value: Any, declared: Any) -> Part:
        members = union_members(declared)
        chosen = member_of(value, members) if members else declared
        view = replace(self, declared=chosen, depth=self.depth + 1)
        part = view._first(value)
        if members:
            part = with_fact(part, f"of {type_text(declared)}", class_name(value))
        return part

    def _first(self, value: Any) -> Part:
        failures: list[Part] = []
        for display in self._candidates(value):
            try:
                result = display(value, self)
                if result is NotImplemented or result is value:
                    continue
                part = result if isinstance(result, Part) else self.show(result)
            except Exception as error:
                failures.append(Note(f"the display {_display_name(display)} raised {brief(error, 160)}"))
                continue
            return Group((part, *failures)) if failures else part
        text = Value(clip(brief(value, self.limits.block), self.limits.block), class_name(value))
        return Group((text, *failures)) if failures else text

    def _candidates(self, value: Any) -> Iterator[Display]:
        yield from declared_displays(self.declared, value)
        yield from self.registry.candidates(value)


def in_short(value: Any, error: Exception) -> Part:
    """Return what is left when a value couldn't be shown: its short form and why."""
    return Group((Value(brief(value), class_name(value)), Note(f"showing it raised {brief(error, 160)}")))


def is_plain(value: Any) -> bool:
    """Whether a value is a scalar, of which nothing can unfold."""
    return value is None or type(value) in (bool, int, float, complex)


def _display_name(display: Display) -> str:
    return str(getattr(display, "__qualname__", brief(display, 40))).rpartition("<locals>.")[2]
