"""Aliases among the objects that code reaches: `b = a` and `b = a.copy()` differ once either is written to."""

from __future__ import annotations

import marshal
from collections import deque
from contextlib import suppress
from typing import Any

from flytenb.reach.installed_names import home_of
from flytenb.reach.ownership import is_own_class
from flytenb.reach.plain_bytes import is_frozen

_MUTABLE: frozenset[type] = frozenset([list, dict, set, bytearray, deque])
_MOST = 10_000
"""Maximum number of lists and dicts inside plain data whose identity is compared."""


class Aliases:
    """The places, in the order of a walk, at which each object that can change is reached."""

    def __init__(self) -> None:
        self._count = 0
        self._places: dict[int, list[int]] = {}

    def visit(self, value: Any) -> None:
        """Add an object that is reached again."""
        kind = type(value)
        if kind in _MUTABLE or kind is object or (not isinstance(value, type) and is_own_class(kind)):
            self.note(id(value))
        elif kind.__name__ == "ndarray" and home_of(kind) == "numpy":
            while getattr(value, "base", None) is not None:
                value = value.base
            self.note(id(value))

    def note(self, identity: int) -> None:
        """Add an object by its identity."""
        self._count += 1
        self._places.setdefault(identity, []).append(self._count)

    def digest(self) -> bytes:
        """Return which places hold the same object."""
        return marshal.dumps(sorted(tuple(places) for places in self._places.values() if len(places) > 1), 2)


def layout_of(value: Any) -> bytes:
    """Return the layout of plain data or an array: which parts are the same object, and the memory order."""
    if type(value) in (list, tuple, dict):
        found: dict[int, int] = {}
        places = [found.setdefault(part, len(found)) for part in _parts(value)]
        return marshal.dumps(places, 2) if len(found) < len(places) else b""
    flags: Any = getattr(value, "flags", None)
    if not hasattr(flags, "writeable"):
        return b""
    return repr((value.strides, flags.writeable, flags.aligned, value.base is None)).encode()


def note_parts(value: Any, aliases: Aliases) -> None:
    """Count the lists and dicts inside of plain data."""
    if type(value) in (list, tuple, dict):
        for part in _parts(value):
            aliases.note(part)


def _parts(value: Any) -> list[int]:
    """Return the identities of the lists and dicts inside of plain data, each as often as it is held."""
    found: list[int] = []
    level = [value]
    while level and len(found) < _MOST:
        inner: list[Any] = []
        for holder in level:
            with suppress(RuntimeError):  # another thread writes to it
                inner += [*holder, *holder.values()] if type(holder) is dict else holder
        level = [each for each in inner if type(each) in (list, dict) or (type(each) is tuple and not is_frozen(each))]
        found += map(id, level)
        level = list({id(each): each for each in level}.values())
    return found
