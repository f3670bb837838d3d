"""The own code that a task reaches, and the installed things that it may use; no digest is made, no data is read.

The walk follows functions, classes, modules and what objects wrap. It looks only a little into lists and dicts: a table
holds no code.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator
from functools import partial
from importlib.machinery import ModuleSpec
from itertools import islice
from pathlib import Path
from types import CodeType, FunctionType, MethodType
from typing import Any, NamedTuple

from flytenb.bridge.entities.kind import function_of, is_entity
from flytenb.reach.bytecode import NameUse, Origin, uses_of
from flytenb.reach.installed_names import names_of, scope_of
from flytenb.reach.name_lookup import MISSING, find_spec, full_name, is_module, is_own
from flytenb.reach.ownership import is_installed, is_own_class, is_own_module
from flytenb.reach.plain_bytes import is_scalar

_MOST_PARTS = 100
"""Elements of a list or dict that are looked at."""


def resolve(origin: Origin, scope: dict[str, Any], cells: dict[str, Any]) -> Any:
    """Return what a use begins with: an object, or a module that isn't loaded yet as its `ModuleSpec`."""
    if origin.kind == "free":
        try:
            return cells[origin.name].cell_contents
        except (KeyError, ValueError):  # of another function, or not bound yet
            return MISSING
    if origin.kind == "global":
        return scope[origin.name] if origin.name in scope else getattr(builtins, origin.name, MISSING)
    return module_named(full_name(origin, scope))


def module_named(name: str) -> Any:
    """Return a module if it is loaded, else its spec; MISSING if it isn't found."""
    return sys.modules[name] if name in sys.modules else find_spec(name) or MISSING


class Reach(NamedTuple):
    """What a function reaches through own code.

    Attributes:
        functions: the own functions, itself among them.
        names: the installed things that they may use, each by the attributes that the code asks for (`os.environ.get`
            says `os.environ` too), an object also by what it is called where it is defined.
        values: every object.
    """

    functions: tuple[FunctionType, ...]
    names: frozenset[str]
    values: tuple[Any, ...]


def reach_of(function: Any, *, calls_run: bool = True) -> Reach:
    """Return what a function reaches through own code.

    Args:
        function: where the walk begins.
        calls_run: whether a task that it calls runs there and then, as in another task; in a dynamic it becomes a node.
    """
    walk = _Walk(calls_run)
    walk.add(function)
    while walk.todo:
        walk.visit(walk.todo.pop())
    values = tuple(walk.seen.values())
    own = tuple(value for value in values if type(value) is FunctionType and is_own(value))
    return Reach(own, frozenset(walk.names), values)


class _Walk:
    def __init__(self, calls_run: bool) -> None:
        self._calls_run = calls_run
        self.todo: list[Any] = []
        self.names: set[str] = set()
        self.seen: dict[int, Any] = {}

    def add(self, value: Any) -> None:
        if not is_scalar(value) and id(value) not in self.seen:
            self.seen[id(value)] = value
            self.todo.append(value)

    def visit(self, value: Any) -> None:
        if is_entity(value):
            if self._calls_run:
                self.add(function_of(value))
            return
        if not is_own(value) and not is_module(value):
            self.names |= names_of(value)
        if type(value) is FunctionType and is_own(value):
            cells = dict(zip(value.__code__.co_freevars, value.__closure__ or (), strict=True))
            self._visit_uses(value.__code__, value.__globals__, cells)
        for part in _parts_of(value):
            self.add(part)

    def _visit_uses(self, code: CodeType, scope: dict[str, Any], cells: dict[str, Any]) -> None:
        for use in uses_of(code).uses:
            value = resolve(use.origin, scope, cells)
            if use.origin.kind == "global" and use.origin.name not in scope and value is not MISSING:
                self.names.add(f"builtins.{use.origin.name}")
            self._follow(value, use)

    def _follow(self, value: Any, use: NameUse) -> None:
        dotted: set[str] = set()
        for at, attribute in enumerate(use.attributes):
            if type(value) is ModuleSpec:
                self._follow_unloaded(value, use.attributes[at:])
                return
            names = set() if is_own(value) else names_of(value)
            dotted = {f"{name}.{attribute}" for name in (*names, *dotted)}
            self.names |= dotted
            if not is_module(value):
                break
            value = scope_of(value).get(attribute, MISSING)
            if value is MISSING:  # of a module that isn't loaded, or not all of it
                rest = [use.attributes[at : at + count] for count in range(2, len(use.attributes) - at + 1)]
                self.names |= {".".join((name, *more)) for name in names for more in rest}
                return
        if type(value) is ModuleSpec:
            self._follow_unloaded(value, ())
        elif value is not MISSING and not (is_module(value) and use.how == "keep"):
            self.names |= names_of(value) if is_module(value) and not is_own(value) else set()
            self.add(value)

    def _follow_unloaded(self, spec: ModuleSpec, attributes: tuple[str, ...]) -> None:
        if _is_own_spec(spec):
            if id(spec.name) not in self.seen:
                self.seen[id(spec.name)] = spec.name
                self._visit_uses(_compiled(spec), {"__package__": spec.parent}, {})
            return
        self.names |= {".".join((spec.name, *attributes[:count])) for count in range(len(attributes) + 1)}


def _parts_of(value: Any) -> Iterator[Any]:
    """What can be taken from an object without a name of its own: what it wraps, holds, is made of."""
    if type(value) is FunctionType:
        yield from (cell.cell_contents for cell in value.__closure__ or () if _is_bound(cell))
        yield from (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values(), *vars(value).values())
    elif type(value) is MethodType:
        yield from (value.__func__, value.__self__)
    elif isinstance(value, type):
        if is_own_class(value):
            yield from (*value.__bases__, type(value), *vars(value).values())
    elif is_module(value):
        if is_own_module(value) and scope_of(value).get("__name__") != "__main__":
            yield from scope_of(value).values()
    elif type(value) in (list, tuple, set, frozenset):
        yield from islice(value, _MOST_PARTS)
    elif type(value) is dict:
        yield from islice(value.values(), _MOST_PARTS)
    elif type(value) is partial:
        yield from (value.func, *value.args, *value.keywords.values())
    elif type(value) in (staticmethod, classmethod):
        yield value.__func__
    elif type(value) is property:
        yield from (value.fget, value.fset, value.fdel)
    else:
        yield from (getattr(value, "__wrapped__", None) if callable(value) else None, type(value))
        yield from getattr(value, "__dict__", {}).values() if is_own(value) else ()


def _is_bound(cell: Any) -> bool:
    try:
        return cell.cell_contents is not MISSING
    except ValueError:
        return False


def _is_own_spec(spec: ModuleSpec) -> bool:
    return spec.origin is not None and spec.origin.endswith(".py") and not is_installed(spec.origin)


def _compiled(spec: ModuleSpec) -> CodeType:
    return compile(Path(str(spec.origin)).read_bytes(), str(spec.origin), "exec", dont_inherit=True)
