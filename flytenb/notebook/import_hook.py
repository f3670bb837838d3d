"""Import hook: runs a function right after a module has been imported."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from types import ModuleType


class ImportHook(importlib.abc.MetaPathFinder):
    """Runs a function once, after a module was executed and before its importer continues.

    Args:
        module: the name of the module.
        function: what to run.
    """

    def __init__(self, module: str, function: Callable[[], None]) -> None:
        self._module = module
        self._function = function

    def install(self) -> None:
        """Begin to look at imports."""
        sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """Stop looking at imports."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != self._module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return spec
        loader = spec.loader
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            vars(loader).pop("exec_module", None)
            self.remove()
            self._function()

        loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
