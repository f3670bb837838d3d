"""What code reaches: own functions, classes, modules and values, and which installed things it may use.

The walk begins at a function and follows whatever it can take: names, closures, defaults, attributes, decorators,
the members of classes, the objects inside objects. What is installed is where it ends.
"""

from __future__ import annotations

import builtins
import importlib.util
import sys
from collections.abc import Iterator
from functools import partial
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from flytenb.bridge.digests.bytecode import Origin, Use, uses_of
from flytenb.bridge.digests.names import names_of, scope_of
from flytenb.bridge.digests.ownership import is_installed, is_own_class, is_own_module
from flytenb.bridge.digests.plain import is_scalar

MISSING: Any = type("Missing", (), {"__repr__": lambda self: "missing"})()
"""What a name stands for that nothing is bound to."""


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


def full_name(origin: Origin, scope: dict[str, Any]) -> str:
    """Return the absolute name of an imported module."""
    name = origin.name
    if origin.level:
        package = scope.get("__package__") or ""
        try:
            name = importlib.util.resolve_name("." * origin.level + name, package)
        except ImportError:
            return name
    return name.partition(".")[0] if origin.kind == "import" else name


def module_named(name: str) -> Any:
    """Return a module if it is loaded, else its spec; MISSING if it isn't found."""
    if name in sys.modules:
        return sys.modules[name]
    try:
        return importlib.util.find_spec(name) or MISSING
    except (ImportError, ValueError, AttributeError):
        return MISSING


def is_module(value: Any) -> bool:
    """Tell whether an object is a module; a module's class may be the user's own."""
    return issubclass(type(value), ModuleType)


def library_uses(function: Any) -> frozenset[str]:
    """Return the dotted names of the installed things that a function may use through all own code that it reaches.

    Each is named by the attributes that the code asks for (`os.environ.get` says `os.environ` too), and an object also
    by what it is called where it is defined. A module that is handed on as a whole is named itself.
    """
    walk = _Walk()
    walk.add(function)
    while walk.todo:
        walk.visit(walk.todo.pop())
    return frozenset(walk.names)


class _Walk:
    def __init__(self) -> None:
        self.todo: list[Any] = []
        self.names: set[str] = set()
        self._seen: dict[int, Any] = {}

    def add(self, value: Any) -> None:
        if not is_scalar(value) and id(value) not in self._seen:
            self._seen[id(value)] = value
            self.todo.append(value)

    def visit(self, value: Any) -> None:
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

    def _follow(self, value: Any, use: Use) -> None:
        for at, attribute in enumerate(use.attributes):
            if type(value) is ModuleSpec:
                self._follow_unloaded(value, use.attributes[at:])
                return
            names = set() if is_own(value) else names_of(value)
            self.names |= {f"{name}.{attribute}" for name in names}
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
            if id(spec.name) not in self._seen:
                self._seen[id(spec.name)] = spec.name
                self._visit_uses(_compiled(spec), {"__package__": spec.parent}, {})
            return
        self.names |= {".".join((spec.name, *attributes[:count])) for count in range(len(attributes) + 1)}


def is_own(value: Any) -> bool:
    """Tell whether a function, class, module or object is the user's own, an object by its class."""
    if type(value) is FunctionType:
        return not is_installed(value.__code__.co_filename)
    if is_module(value):
        return is_own_module(value)
    return is_own_class(value if isinstance(value, type) else type(value))


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
        yield from value
    elif type(value) is dict:
        yield from value.values()
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
