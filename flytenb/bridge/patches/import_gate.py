"""Lets a cell's imports wait for the import of flytekit in the background; what that imports is left to the extension.

Two threads that import a package and a module of it at once can each hold what the other waits for. Python breaks the
knot by handing out half a module: `from flytekit.core.type_engine import TypeEngine` in the first cell then fails.
"""

from __future__ import annotations

import builtins
import sys
import threading
from typing import Any

_GUARDED = frozenset({"flytekit", "flyteidl", "flytenb"})


class ImportGate:
    """Stands before the imports that cells themselves make, while a thread is alive.

    Only these may wait: a module that is just being imported holds its own lock, and flytekit, which imports its
    plugins, may want it. So whatever isn't there yet waits, since it may import flytekit in its turn.
    """

    def __init__(self, thread: threading.Thread) -> None:
        self._thread = thread
        self._import = builtins.__import__
        self._gated = self._wait_and_import
        builtins.__import__ = self._gated

    def open(self) -> None:
        """Let everything pass again."""
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
        if level == 0 and (globals or {}).get("__name__") == "__main__" and _may_meet(name):
            self._wait()
        return self._import(name, globals, locals, fromlist, level)

    def _wait(self) -> None:
        if self._thread is not threading.current_thread() and self._thread.is_alive():
            self._thread.join()


def _may_meet(name: str) -> bool:
    """Whether an import may meet with flytekit's."""
    root = name.partition(".")[0]
    return root in _GUARDED or (name not in sys.modules and root not in sys.stdlib_module_names)
