"""Names of installed things: how Python's and libraries' functions, classes and objects are written in code."""

from __future__ import annotations

import sys
from types import BuiltinMethodType, FunctionType, MethodType, ModuleType
from typing import Any

_PUBLIC = {"posix": "os", "nt": "os", "posixpath": "os.path", "ntpath": "os.path"}
"""Public modules whose content comes from another; `_x` is the private part of `x` anyway."""
_BOUND = (MethodType, BuiltinMethodType)
NamesByModule = dict[str, dict[int, list[str]]]
"""The names in modules by the identity of what has them."""


def names_of(value: Any, known: NamesByModule | None = None) -> set[str]:
    """Return the dotted names by which an installed object can be taken, as far as its own modules show.

    Args:
        value: the object.
        known: what was found in modules; for several calls between which no code of users runs.
    """
    if issubclass(type(value), ModuleType):  # not `isinstance`: objects of cffi say that they are modules
        name = str(scope_of(value).get("__name__"))
        return {name, *([_PUBLIC[name]] if name in _PUBLIC else [])}
    owner = value.__self__ if type(value) in _BOUND else None
    is_bound = owner is not None and not issubclass(type(owner), ModuleType)
    home = home_of(type(owner)) if is_bound else getattr(value, "__module__", None)
    if type(home) is not str:
        home = home_of(type(value))
    qualified = getattr(value, "__qualname__", None)
    names = {f"{home}.{qualified}"} if type(qualified) is str else {f"{home}.{type(value).__qualname__}"}
    if type(value) is FunctionType:  # `functools.wraps` gives a wrapper the names of what it wraps
        names.add(f"{value.__globals__.get('__name__')}.{value.__code__.co_qualname}")
    for module in _homes(home):
        scope = scope_of(sys.modules[module]) if module in sys.modules else {}
        if is_bound or known is None:
            names |= {f"{module}.{name}" for name, held in [*scope.items()] if _is_same(held, value, is_bound)}
        else:
            if module not in known:
                known[module] = _names_in(scope)
            names |= {f"{module}.{name}" for name in known[module].get(id(value), ())}
    return names


def _names_in(scope: dict[str, Any]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for name, held in [*scope.items()]:
        found.setdefault(id(held), []).append(name)
    return found


def home_of(kind: type) -> str:
    """Return the name of the module of a class, empty for one that has none."""
    name = getattr(kind, "__module__", "")
    return name if type(name) is str else ""


def scope_of(module: ModuleType) -> dict[str, Any]:
    """Return what a module holds, without loading one that is lazy."""
    scope: dict[str, Any] = object.__getattribute__(module, "__dict__")
    return scope


def _homes(module: str) -> list[str]:
    parts = module.split(".")
    homes = [".".join(parts[:n]) for n in range(1, len(parts) + 1)]
    return [*homes, *(_PUBLIC[home] for home in homes if home in _PUBLIC), *(h[1:] for h in homes if h[:1] == "_")]


def _is_same(held: Any, value: Any, is_bound: bool) -> bool:
    """Whether both are one object; a bound method is a new object each time."""
    if held is value:
        return True
    return is_bound and type(held) is type(value) and held.__self__ is value.__self__ and bool(held == value)
