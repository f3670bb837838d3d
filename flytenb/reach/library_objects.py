"""Objects of installed modules that code changes, such as `copyreg.dispatch_table`, and captures of their contents."""

from __future__ import annotations

import decimal
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from flytenb.reach.abstract_values import ExistingObject
from flytenb.reach.installed_names import scope_of
from flytenb.reach.name_lookup import is_module
from flytenb.reach.ownership import is_own_module

_CONTAINERS = (dict, list, set, deque, decimal.Context)
_MISSING = object()


def is_container(value: Any) -> bool:
    """Tell whether `contents` captures what a value holds."""
    return isinstance(value, _CONTAINERS) or is_module(value)


def library_name(one: ExistingObject) -> str | None:
    """Return the dotted name of an object that an installed module holds; None of any other object.

    It may have been imported into own code under the same name.
    """
    if is_module(one.value):
        return None if is_own_module(one.value) else str(scope_of(one.value).get("__name__"))
    module, _, name = one.owner.name.removeprefix("global ").rpartition(".")
    home = sys.modules.get(module)
    if home is None or not is_module(home):
        return None
    if not is_own_module(home):
        return f"{module}.{name}"
    for other in [*sys.modules.values()]:
        held = scope_of(other).get(name, _MISSING) if is_module(other) else _MISSING
        if id(held) == one.owner.key and not is_own_module(other):
            return f"{scope_of(other).get('__name__')}.{name}"
    return None


def attribute_of_object(owner: Any, name: str) -> Callable[[], None]:
    """Capture one attribute of an object."""
    own = getattr(owner, "__dict__", {})
    was_own, before = name in own, getattr(owner, name, _MISSING)

    def restore() -> None:
        now = getattr(owner, name, _MISSING)
        if now is before and (name in own) == was_own:
            return
        if before is _MISSING or (name in own and not was_own):
            delattr(owner, name)
        else:
            setattr(owner, name, before)

    return restore


def contents(owner: Any) -> Callable[[], None]:
    """Capture what a container, a module or a class holds.

    Only what differs is changed when it is restored: a library may look into it at the same time.
    """
    if isinstance(owner, str):
        owner = sys.modules[owner]
    if isinstance(owner, decimal.Context):
        return _context(owner)
    if isinstance(owner, type):
        return _class(owner)
    if is_module(owner):
        owner = scope_of(owner)
    if isinstance(owner, dict):
        return _dictionary(owner)
    before = [*owner]

    def restore() -> None:
        if isinstance(owner, set):
            owner.intersection_update(before)
            owner.update(before)
        elif [*map(id, owner)] != [*map(id, before)]:
            owner.clear()
            owner.extend(before)

    return restore


def _dictionary(owner: dict[Any, Any]) -> Callable[[], None]:
    before = {**owner}

    def restore() -> None:
        for key in [key for key in [*owner] if key not in before]:
            owner.pop(key, None)
        for key, value in before.items():
            if owner.get(key, _MISSING) is not value:
                owner[key] = value

    return restore


def _class(owner: type) -> Callable[[], None]:
    before = {**vars(owner)}

    def restore() -> None:
        now = {**vars(owner)}
        for name in now.keys() - before.keys():
            with suppress(AttributeError, TypeError):
                delattr(owner, name)
        for name, value in before.items():
            if now.get(name, _MISSING) is not value:
                with suppress(AttributeError, TypeError):
                    setattr(owner, name, value)

    return restore


def _context(owner: decimal.Context) -> Callable[[], None]:
    before = owner.copy()

    def restore() -> None:
        for name in ("prec", "rounding", "Emin", "Emax", "capitals", "clamp"):
            setattr(owner, name, getattr(before, name))
        owner.traps, owner.flags = before.traps, before.flags

    return restore
