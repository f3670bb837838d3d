"""What a workflow was compiled from: everything that its function and the helpers that it reaches take by name.

A workflow's body names tasks, workflows, helpers and constants. flytekit compiles it once; when one of those names has
another value, the compiled nodes are out of date.
"""

from __future__ import annotations

import weakref
from collections.abc import Hashable, Iterable, Iterator
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from flytenb.bridge import private
from flytenb.bridge.kinds import is_entity
from flytenb.errors import is_foreign, is_library

_PLAIN = (int, float, complex, str, bool, bytes, type(None))
_DEPTH = 4
"""Levels of containers and objects that are compared; what is deeper is compared by identity."""
_MOST_VALUES = 20_000
"""Values of one workflow that are compared; a container beyond them counts as changed each time."""

Makings = dict[Hashable, Any]

_made_from: weakref.WeakKeyDictionary[Any, Makings] = weakref.WeakKeyDictionary()


def note_makings(workflow: Any, makings: Makings) -> None:
    """Remember what a workflow has been compiled from."""
    _made_from[workflow] = makings


def is_known(workflow: Any) -> bool:
    """Tell whether it is known what a workflow was compiled from."""
    return workflow in _made_from


def has_changed(workflow: Any) -> bool:
    """Tell whether anything has changed that a workflow was compiled from the last time, as far as that is known."""
    before = _made_from.get(workflow)
    if before is None:
        return False
    now = read_makings(workflow)
    try:
        return before.keys() != now.keys() or not all(_is_same(before[key], now[key]) for key in now)
    except Exception:  # a comparison of the user's own
        return True


def read_makings(workflow: Any) -> Makings:
    """Return what a workflow would be compiled from now."""
    snapshots = _Snapshots()
    return {key: snapshots.take(value) for key, value in _named([private.workflow_function(workflow)])}


def entities_named(functions: Iterable[Any]) -> Iterator[Any]:
    """Yield the tasks, workflows and launch plans that functions and the helpers that they reach name."""
    for _, value in _named(functions):
        if type(value) in (list, tuple, dict) and len(value) <= _MOST_VALUES:
            yield from filter(is_entity, list(value.values()) if type(value) is dict else list(value))
        elif is_entity(value):
            yield value


def _named(functions: Iterable[Any]) -> Iterator[tuple[Hashable, Any]]:
    """Each name that functions read from their modules and closures, and its value; helpers are followed."""
    todo = list(functions)
    seen: set[int] = set()
    while todo:
        function = _plain_function(todo.pop())
        if function is None or id(function) in seen:
            continue
        seen.add(id(function))
        if hasattr(function, "__wrapped__"):
            todo.append(function.__wrapped__)
        for key, value in _read_by(function):
            yield key, value
            if _is_helper(value):
                todo.append(value)


def _plain_function(value: Any) -> FunctionType | None:
    function = value.__func__ if isinstance(value, MethodType) else value
    return function if isinstance(function, FunctionType) else None


def _is_helper(value: Any) -> bool:
    """Whether a value is a function of the user's own, whose names count as well."""
    function = _plain_function(value)
    if function is None:
        return False
    file = function.__code__.co_filename
    return not is_foreign(file) and not is_library(file)


def _read_by(function: FunctionType) -> Iterator[tuple[Hashable, Any]]:
    scope = function.__globals__
    names = set(_names(function.__code__))
    for name in names:
        if name in scope:
            value = scope[name]
            yield (id(scope), name), value
            if isinstance(value, ModuleType):
                inside = vars(value)
                yield from (((id(inside), n), inside[n]) for n in names if n in inside)
    for number, cell in enumerate(function.__closure__ or ()):
        try:
            yield (id(function), number), cell.cell_contents
        except ValueError:  # not assigned yet
            continue


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


class _Changed:
    """What is never the same: a container that is too large to be compared."""


class _Content(NamedTuple):
    """What a container, or an object or class of the user's own, held at that moment."""

    of: Any
    value: Any


class _Snapshots:
    """Copies of values, down to a depth and up to a number of values in all, to be compared later."""

    def __init__(self) -> None:
        self._left = _MOST_VALUES

    def take(self, value: Any, depth: int = _DEPTH) -> Any:
        """Return what is compared of a value: itself where it can't change or its identity says enough."""
        self._left -= 1
        if type(value) in _PLAIN or is_entity(value) or isinstance(value, (FunctionType, ModuleType)):
            return value
        if depth == 0:
            return value
        if isinstance(value, (list, tuple, dict, set, frozenset)):
            if len(value) > self._left:
                return _Changed()
            return _Content(type(value), self._held_by(value, depth))
        own = _own_attributes(value)
        if own is None:
            return value
        return _Content(value if isinstance(value, type) else type(value), self._held_by(own, depth))

    def _held_by(self, container: Any, depth: int) -> Any:
        if isinstance(container, dict):
            return {key: self.take(value, depth - 1) for key, value in list(container.items())}
        if isinstance(container, (set, frozenset)):
            self._left -= len(container)
            return frozenset(container)
        return [self.take(value, depth - 1) for value in list(container)]


def _own_attributes(value: Any) -> dict[str, Any] | None:
    """The attributes of a class of the notebook or of an object of one; None for anything else."""
    cls = value if isinstance(value, type) else type(value)
    if cls.__module__ != "__main__":
        return None
    try:
        held = vars(value)
    except Exception:  # no attributes, or the user's own way to refuse them
        return None
    return {name: v for name, v in held.items() if not name.startswith("__")}


def _is_same(before: Any, now: Any) -> bool:
    if type(before) is not type(now) or isinstance(now, _Changed):
        return False
    if isinstance(before, _Content):
        return before.of is now.of and _is_same_content(before.value, now.value)
    if type(before) in _PLAIN:
        return bool(before == now) or (before != before and now != now)
    return before is now


def _is_same_content(before: Any, now: Any) -> bool:
    if len(before) != len(now):
        return False
    if isinstance(before, dict):
        return list(before) == list(now) and all(_is_same(before[k], now[k]) for k in before)
    if isinstance(before, frozenset):
        return bool(before == now)
    return all(_is_same(a, b) for a, b in zip(before, now, strict=True))
