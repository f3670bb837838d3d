"""Import hook: runs a function right after a module has been imported."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType


class ImportHook:
    """Runs a function once, after a module was executed and before its importer continues; a finder of `sys.meta_path`.

    It has no base class, since importing `importlib.abc` takes half as long as the rest of loading the extension.

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
    ) -> ModuleSpec | None:
        """Return the specification of the module, with a loader that runs the function; None for other modules."""
        if name != self._module:
            return None
        spec = PathFinder.find_spec(name, path, target)
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
