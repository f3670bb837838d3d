"""Write-only uses: what code writes into a list, dict or set without reading what it holds.

`calls.append(x)` and `counts[key] = n` give the same result whatever the container holds. Of `seen[0] += 1` and
`del seen[0]` only what decides whether they raise counts: how many items of which types there are.
"""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace
from typing import Any

from flytenb.reach.ownership import is_own_class
from flytenb.reach.plain_bytes import is_scalar

_SILENT: dict[type, frozenset[str]] = {
    list: frozenset(["append", "extend", "insert", "clear"]),
    dict: frozenset(["update", "clear"]),
    set: frozenset(["add", "update", "discard", "clear"]),
    deque: frozenset(["append", "appendleft", "extend", "extendleft", "clear"]),
}
"""The methods that return None for any content."""


def observed_part(value: Any, rest: tuple[str, ...], how: str) -> Any:
    """Return the part of an object that a write to it can observe, as plain data; None if it may observe all."""
    while len(rest) > 1 and (inner := _attribute(value, rest[0])) is not None:
        value, rest = inner, rest[1:]
    kind = type(value)
    if how == "count" and is_scalar(value):
        return kind.__name__
    if kind not in _SILENT:
        return None
    if how == "call" and len(rest) == 1 and rest[0] in _SILENT[kind]:
        return kind.__name__
    if rest or how not in ("store", "delete", "update") or kind is set:
        return None
    if kind is dict:
        if how == "store":
            return kind.__name__
        return [kind.__name__, *((repr(key), type(held).__name__) for key, held in value.items() if is_scalar(key))]
    return [kind.__name__, *(type(held).__name__ for held in value)]


def _attribute(value: Any, name: str) -> Any:
    """Return a list, dict or set that is a plain attribute of an own object or class; else None."""
    owner = value if isinstance(value, type) else type(value)
    if not (is_own_class(owner) or owner is SimpleNamespace):
        return None
    if type(owner) is not type or (owner is not SimpleNamespace and any(map(_computes, owner.__mro__[:-1]))):
        return None
    inherited = next((vars(cls)[name] for cls in owner.__mro__ if name in vars(cls)), None)
    if isinstance(value, type):
        return inherited if type(inherited) in _SILENT else None
    found = vars(value).get(name) if inherited is None and hasattr(value, "__dict__") else None
    return found if type(found) in _SILENT else None


def _computes(cls: type) -> bool:
    return "__getattribute__" in vars(cls)
