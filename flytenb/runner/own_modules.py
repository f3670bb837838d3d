"""The user's own modules in the processes that run tasks: loaded again there after they were loaded again here."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from flytenb.locks import new_lock
from flytenb.reach.ownership import is_own_module

_MAIN = ("__main__", "__mp_main__")
_lock = new_lock()
_judged: dict[str, tuple[Any, bool]] = {}
"""Modules by name, and whether each is the user's own: there are thousands, and each task reads them."""
_seen: dict[str, tuple[Any, int]] = {}
"""In the kernel: the spec of each own module, a new object after every load, and the number of loads that were seen."""
_agreed: dict[str, int] = {}
"""In a process: the number of loads in the kernel when the module was last known to be the same here."""


def loads() -> dict[str, int]:
    """Return the user's own modules that are loaded in this process, each with the number of its loads."""
    with _lock:
        own = {
            name: object.__getattribute__(module, "__dict__").get("__spec__")
            for name, module in [*sys.modules.items()]
            if _is_own(name, module)
        }
        for name, spec in own.items():
            known, number = _seen.get(name, (None, 0))
            if known is not spec:
                _seen[name] = (spec, number + 1)
        return {name: _seen[name][1] for name, spec in own.items() if spec is not None}


def _is_own(name: str, module: Any) -> bool:
    known = _judged.get(name)
    if known is None or known[0] is not module:
        # An entry of `sys.modules` may be anything; those of cffi only look like modules.
        is_own = name not in _MAIN and issubclass(type(module), ModuleType) and is_own_module(module)
        known = _judged[name] = (module, is_own)
    return known[1]


def agree(there: Mapping[str, int]) -> None:
    """Forget own modules that the kernel has loaded again, or hasn't loaded: they are imported when they are needed.

    Args:
        there: what `loads` has returned in the kernel.
    """
    here = loads()
    is_changed = any(_agreed.get(name, number) != number for name, number in there.items())
    # A module that has imported a changed one may hold what it took from it.
    stale = here.keys() if is_changed else here.keys() - there.keys()
    if stale:
        importlib.invalidate_caches()
    for name in stale:
        sys.modules.pop(name, None)
    _agreed.update(there)
