"""Makes a cell's imports wait for the import of flytekit in the background.

Two threads that import a package and a module of it at once can each hold the lock that the other waits for. Python
resolves the deadlock by returning a partial module: `from flytekit.core.type_engine import TypeEngine` then fails.
"""

from __future__ import annotations

import builtins
import sys
import threading
from typing import Any

_GUARDED = frozenset({"flytekit", "flyteidl", "flytenb"})


class ImportGate:
    """Delays imports in the code of cells while a thread is alive.

    Only these may wait: a module that is being imported holds its own lock, which flytekit may need, since it imports
    its plugins. A module that isn't loaded yet waits too, since it may import flytekit.
    """

    def __init__(self, thread: threading.Thread) -> None:
        self._thread = thread
        self._import = builtins.__import__
        self._gated = self._wait_and_import
        builtins.__import__ = self._gated

    def open(self) -> None:
        """Stop delaying imports."""
        if builtins.__import__ is self._gated:
            builtins.__import__ = self._import

    def _wait_and_import(
        self,
        name: str,
        globals: Any = None,  # noqa: A002  (the names that callers may use)
        locals: Any = None,  # noqa: A002
        fromlist: Any = (),
        level: int = 0,
    ) -> Any:
        if level == 0 and (globals or {}).get("__name__") == "__main__" and _may_import_flytekit(name):
            self._wait()
        return self._import(name, globals, locals, fromlist, level)

    def _wait(self) -> None:
        if self._thread is not threading.current_thread() and self._thread.is_alive():
            self._thread.join()


def _may_import_flytekit(name: str) -> bool:
    """Whether an import may load a part of flytekit."""
    root = name.partition(".")[0]
    return root in _GUARDED or (name not in sys.modules and root not in sys.stdlib_module_names)
