"""Objects that the names in code lead to, through modules that are loaded or not."""

from __future__ import annotations

import builtins
import importlib.util
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from flytenb.reach.bytecode import NameUse, Origin
from flytenb.reach.installed_names import scope_of
from flytenb.reach.ownership import is_installed, is_own_class, is_own_module

MISSING: Any = type("Missing", (), {"__repr__": lambda self: "missing"})()
"""The value of a name that nothing is bound to."""


class Target(NamedTuple):
    """Where a use leads to.

    Attributes:
        value: an object; a module of which no more can be followed; MISSING.
        rest: the attributes that are still to be read of it.
        taken: the first installed module on the way and the attributes asked of it.
    """

    value: Any
    rest: tuple[str, ...]
    taken: tuple[ModuleType, tuple[str, ...]] | None


def follow(use: NameUse, scope: dict[str, Any], cells: dict[str, Any]) -> Target:
    """Follow a use through modules to the first object that isn't one."""
    value, rest = _begin(use.origin, scope, cells), use.attributes
    taken = None
    while is_module(value):
        if taken is None and not is_own_module(value):
            taken = (value, rest)
        inner = scope_of(value).get(rest[0], MISSING) if rest else MISSING
        if inner is MISSING:
            break
        value, rest = inner, rest[1:]
    return Target(value, rest, taken)


def _begin(origin: Origin, scope: dict[str, Any], cells: dict[str, Any]) -> Any:
    if origin.kind == "global":
        return scope[origin.name] if origin.name in scope else getattr(builtins, origin.name, MISSING)
    if origin.kind == "free":
        cell = cells.get(origin.name)
        return cell.cell_contents if cell is not None and is_bound(cell) else MISSING
    return sys.modules.get(full_name(origin, scope), MISSING)


def unloaded_module(use: NameUse, scope: dict[str, Any]) -> str | None:
    """Return the name of the module that a use imports, if it isn't loaded; also where only a part of it is."""
    if use.origin.kind not in ("import", "from"):
        return None
    name = full_name(use.origin, scope)
    if name not in sys.modules:
        return name
    if use.origin.kind == "from" and use.attributes:
        inner = f"{name}.{use.attributes[0]}"  # `from package import module`
        module = sys.modules[name]
        is_part = inner not in sys.modules and use.attributes[0] not in scope_of(module) and is_own_module(module)
        return inner if is_part and find_spec(inner) is not None else None
    return None


def full_name(origin: Origin, scope: dict[str, Any]) -> str:
    """Return the absolute name of an imported module."""
    name = origin.name
    if origin.level:
        try:
            name = importlib.util.resolve_name("." * origin.level + name, scope.get("__package__") or "")
        except ImportError:
            return name
    return name.partition(".")[0] if origin.kind == "import" else name


def find_spec(name: str) -> ModuleSpec | None:
    """Find a module without importing the package that it is in."""
    if name in sys.modules:
        return getattr(sys.modules[name], "__spec__", None)
    package, _, _ = name.rpartition(".")
    try:
        if not package:
            return importlib.util.find_spec(name)
        above = find_spec(package)
        places = None if above is None else above.submodule_search_locations
        return None if places is None else PathFinder.find_spec(name, list(places))
    except (ImportError, ValueError, AttributeError):
        return None


def is_module(value: Any) -> bool:
    """Tell whether an object is a module; a module's class may be the user's own."""
    return issubclass(type(value), ModuleType)


def is_own(value: Any) -> bool:
    """Tell whether a function, class, module or object is the user's own, an object by its class."""
    if type(value) is FunctionType:
        return not is_installed(value.__code__.co_filename)
    if is_module(value):
        return is_own_module(value)
    return is_own_class(value if isinstance(value, type) else type(value))


def is_bound(cell: Any) -> bool:
    """Tell whether a closure's cell holds a value."""
    try:
        return cell.cell_contents is not MISSING
    except ValueError:
        return False


def is_installed_spec(spec: ModuleSpec) -> bool:
    """Tell whether a module that isn't loaded is installed."""
    if spec.origin is None:  # a namespace package
        return all(is_installed(f"{place}/") for place in spec.submodule_search_locations or ())
    return is_installed(spec.origin) or not Path(spec.origin).is_absolute()


def module_name(module: ModuleType) -> str:
    """Return the name that a module has."""
    return str(scope_of(module).get("__name__"))
