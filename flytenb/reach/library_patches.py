"""What own code has put on the classes of libraries: methods, accessors, settings, classes that count as subclasses."""

from __future__ import annotations

import abc
import sys
from collections.abc import Iterable, Sequence
from operator import is_
from types import FunctionType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from flytenb.reach.installed_names import scope_of
from flytenb.reach.look import once
from flytenb.reach.name_lookup import is_module, is_own
from flytenb.reach.ownership import is_own_module
from flytenb.reach.plain_bytes import is_scalar

_HEAP = 1 << 9
"""Of a type's flags: its attributes may be set."""
_MOST_MEMBERS = 500
"""Maximum number of compared members of library classes; of more, those that own code names and their number."""
_listed: WeakKeyDictionary[ModuleType, tuple[list[Any], list[type]]] = WeakKeyDictionary()
_scanned: WeakKeyDictionary[type, tuple[list[Any], dict[str, Any]]] = WeakKeyDictionary()


def is_open(cls: type) -> bool:
    """Tell whether own code can put members on a class that isn't its own."""
    return bool(cls.__flags__ & _HEAP) and not is_own(cls)


def open_classes(module: ModuleType) -> list[type]:
    """Return the classes in an installed module's namespace that own code can put members on."""
    values = [*scope_of(module).values()]
    known = _listed.get(module)
    if known is None or len(known[0]) != len(values) or not all(map(is_, known[0], values)):
        known = _listed[module] = (values, [cls for cls in values if isinstance(cls, type) and is_open(cls)])
    return known[1]


def own_members(cls: type) -> dict[str, Any]:
    """Return the members of an installed class that are the user's own."""
    values = [*vars(cls).values()]
    known = _scanned.get(cls)
    if known is None or len(known[0]) != len(values) or not all(map(is_, known[0], values)):
        found = {name: held for name, held in [*vars(cls).items()] if _is_of_user(held)}
        known = _scanned[cls] = (values, found)
    return known[1]


def asked_members(cls: type, names: Iterable[str]) -> dict[str, Any]:
    """Return the members of a class that have one of these names and are the user's own or plain data."""
    held = vars(cls)
    return {n: held[n] for n in names if n in held and (is_scalar(held[n]) or _is_of_user(held[n]))}


def registered_with(cls: type) -> list[Any]:
    """Return the classes that were registered with an abstract class or with a subclass of it."""
    found: list[Any] = []
    todo, seen = [cls], {cls}
    while todo:
        at = todo.pop()
        registry: Any = abc._get_dump(at)[0]  # type: ignore[attr-defined]
        held: list[Any] = [reference() for reference in registry]
        found += [one for one in held if one is not None]  # else it has been collected
        below: list[Any] = type.__subclasses__(at)
        more = {one for one in below if issubclass(type(one), abc.ABCMeta)} - seen
        seen |= more
        todo += sorted(more, key=lambda each: each.__qualname__)
    return sorted(found, key=lambda each: (each.__module__, each.__qualname__))


class Members:
    """The members of library classes at one time: one object for all code that uses the same classes.

    Args:
        classes: the classes.
        named: classes with a name of each that is compared if there are too many members to compare all.
    """

    def __init__(self, classes: Sequence[type], named: Sequence[tuple[type, str]]) -> None:
        self._classes = classes
        self._named = named
        self._held, self._sizes = self._read()

    @classmethod
    def now(cls, classes: Sequence[type], names: Iterable[str]) -> Members:
        """Return the present members."""
        made = cls(tuple(classes), [(each, name) for each in classes for name in names if name in vars(each)])
        at = ((id(each), name) for each, name in made._named)
        key = (*map(id, classes), *made._sizes, *map(id, made._held), *at)
        return _members.setdefault(key, made)

    def _read(self) -> tuple[list[Any], list[int]]:
        sizes = [len(vars(cls)) for cls in self._classes]
        if sum(sizes) <= _MOST_MEMBERS:
            return [held for cls in self._classes for held in vars(cls).values()], sizes
        return [vars(cls).get(name) for cls, name in self._named], sizes

    def state(self) -> bytes:
        """Return whether they are the same now."""
        return once(self, self._state)

    def _state(self) -> bytes:
        held, sizes = self._read()
        return b"same" if sizes == self._sizes and all(map(is_, held, self._held)) else b""


_members: WeakValueDictionary[tuple[object, ...], Members] = WeakValueDictionary()


def _is_of_user(value: Any) -> bool:
    """Whether a member of a library is the user's own, or wraps what is."""
    if type(value) in (staticmethod, classmethod):
        return _is_of_user(value.__func__)
    if type(value) is property:
        return any(map(_is_of_user, (value.fget, value.fset)))
    if type(value) is FunctionType:  # `eval` in a library, as for a named tuple, makes functions without a file
        home = sys.modules.get(value.__globals__.get("__name__", ""))
        return is_own(value) and home is not None and is_own_module(home)
    if is_own(value):
        return True
    if isinstance(value, type) or is_module(value):
        return False
    try:
        held = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return False
    return type(held) is dict and any(callable(each) and is_own(each) for each in held.values())
