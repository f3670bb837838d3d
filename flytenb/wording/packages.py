"""Packages that the user has imported; nothing here imports one."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


def loaded(name: str) -> ModuleType | None:
    """Return the module if it has been imported, else None.

    flytekit puts `importlib.util._LazyModule` objects for pandas and pyarrow into `sys.modules`; reading an attribute
    of one imports the whole package, so they count as absent (checked against flytekit 1.16.31).
    """
    module = sys.modules.get(name)
    if module is None or type(module).__name__ == "_LazyModule":
        return None
    return module


def named(path: str) -> Any:
    """Return the object at a dotted path like `pandas.DataFrame`, or `None` while its module isn't loaded."""
    module_name, _, attribute = path.rpartition(".")
    module = loaded(module_name)
    return getattr(module, attribute, None) if module else None


def packages_of(cls: type) -> frozenset[str]:
    """Return the top-level packages that a class and its ancestors come from."""
    return frozenset(str(getattr(c, "__module__", "")).partition(".")[0] for c in cls.__mro__)
