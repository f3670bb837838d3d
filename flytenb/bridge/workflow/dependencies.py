"""What a workflow was compiled from: everything that its function and the helpers that it reaches take by name.

A workflow's body names tasks, workflows, helpers and constants. flytekit compiles it once; when one of those names has
another value, the compiled nodes are out of date.
"""

from __future__ import annotations

import functools
import sys
import weakref
from collections.abc import Hashable, Iterator
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from flytenb.bridge import private
from flytenb.bridge.entities.kind import is_entity
from flytenb.errors import is_foreign, is_library

_PLAIN = (int, float, complex, str, bool, bytes, type(None))
_DEPTH = 4
"""Levels of containers and objects that are compared; what is deeper is compared by identity."""
_MOST_VALUES = 20_000
"""Values of one workflow that are compared; a container beyond them counts as changed each time."""

Makings = dict[Hashable, Any]


class _Made(NamedTuple):
    """What a workflow was compiled from, and the list of the nodes that this made: each compile makes another list."""

    makings: Makings
    nodes: list[Any]


_made: weakref.WeakKeyDictionary[Any, _Made] = weakref.WeakKeyDictionary()


def note_makings(workflow: Any, makings: Makings) -> None:
    """Remember what a workflow has just been compiled from."""
    _made[workflow] = _Made(makings, private.compiled_nodes(workflow))


def is_known(workflow: Any) -> bool:
    """Tell whether it is known what the nodes were made from that a workflow has now."""
    made = _made.get(workflow)
    return made is not None and made.nodes is private.compiled_nodes(workflow)


def has_changed(workflow: Any) -> bool:
    """Tell whether anything has changed that a workflow was compiled from the last time, as far as that is known."""
    made = _made.get(workflow)
    if made is None:
        return False
    before = made.makings
    now = read_makings(workflow)
    try:
        return before.keys() != now.keys() or not all(_is_same(before[key], now[key]) for key in now)
    except Exception:  # a comparison of the user's own
        return True


def read_makings(workflow: Any) -> Makings:
    """Return what a workflow would be compiled from now."""
    snapshots = _Snapshots()
    return {key: snapshots.take(value) for key, value in _named(private.workflow_function(workflow), set())}


class NamedEntities:
    """The tasks, workflows and launch plans that functions name; each helper and each container is looked at once."""

    def __init__(self) -> None:
        self._functions: set[int] = set()
        self._containers: dict[int, Any] = {}

    def entities(self, function: Any) -> Iterator[Any]:
        """Yield what a function, and the helpers that it reaches, name and no function before has."""
        for _, value in _named(function, self._functions):
            if is_entity(value):
                yield value
            elif type(value) in (list, tuple, dict) and id(value) not in self._containers:
                self._containers[id(value)] = value
                held = value.values() if type(value) is dict else value
                yield from filter(is_entity, list(held)[:_MOST_VALUES])


def _named(function: Any, seen: set[int]) -> Iterator[tuple[Hashable, Any]]:
    """Each name that a function reads from its module and closure, and its value; helpers are followed, each once."""
    todo = [function]
    while todo:
        found = todo.pop()
        if not isinstance(found, FunctionType) or id(found) in seen:
            continue
        seen.add(id(found))
        if hasattr(found, "__wrapped__"):
            todo += _functions_of(found.__wrapped__)
        for key, value in _read_by(found):
            yield key, value
            todo += filter(_is_helper, _functions_of(value))


def _functions_of(value: Any, depth: int = 2) -> Iterator[FunctionType]:
    """The functions that a value is, holds or has as methods."""
    if isinstance(value, FunctionType):
        yield value
    elif isinstance(value, MethodType | functools.partial):
        yield from _functions_of(value.__func__ if isinstance(value, MethodType) else value.func, depth)
        held = (value.__self__,) if isinstance(value, MethodType) else (*value.args, *value.keywords.values())
        for each in held if depth else ():
            yield from _functions_of(each, depth - 1)
    elif type(value) in (list, tuple, dict) and depth and len(value) <= _MOST_VALUES:
        for each in list(value.values()) if type(value) is dict else list(value):
            if type(each) in (list, tuple, dict) or (callable(each) and not is_entity(each)):
                yield from _functions_of(each, depth - 1)
    elif not is_entity(value) and _is_of_user(value if isinstance(value, type) else type(value)):
        yield from _methods_of(value if isinstance(value, type) else type(value))


def _methods_of(cls: type) -> Iterator[FunctionType]:
    for base in filter(_is_of_user, cls.__mro__):
        for found in list(vars(base).values()):
            for function in (found, *(getattr(found, name, None) for name in ("__func__", "fget", "func"))):
                if isinstance(function, FunctionType):
                    yield function


def _is_of_user(cls: type) -> bool:
    """Whether a class is the notebook's or a module's of the user."""
    name = cls.__module__
    if name == "__main__":
        return True
    file = getattr(sys.modules.get(name), "__file__", None)
    return isinstance(file, str) and not is_foreign(file) and not is_library(file)


def _is_helper(function: FunctionType) -> bool:
    """Whether a function is of the user's own, so that what it names counts as well."""
    file = function.__code__.co_filename
    return not is_foreign(file) and not is_library(file)


def _read_by(function: FunctionType) -> Iterator[tuple[Hashable, Any]]:
    """What one function reads; its code too, which a reload may exchange in place."""
    scope = function.__globals__
    names = set(_names(function.__code__))
    yield (id(function), "code"), function.__code__
    yield (id(function), "defaults"), function.__defaults__
    yield (id(function), "keyword defaults"), function.__kwdefaults__
    spaces, seen = [scope], {id(scope)}
    while spaces:
        space = spaces.pop()
        for name in names & space.keys():
            value = space[name]
            yield (id(space), name), value
            if isinstance(value, ModuleType) and id(vars(value)) not in seen:
                seen.add(id(vars(value)))
                spaces.append(vars(value))
    for number, cell in enumerate(function.__closure__ or ()):
        try:
            yield (id(function), number), cell.cell_contents
        except ValueError:  # not assigned yet
            continue


def _names(code: CodeType) -> Iterator[str]:
    """What code names; a text in it may be a name too, as in `globals()["step"]`."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
        elif isinstance(constant, str) and constant.isidentifier():
            yield constant


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
