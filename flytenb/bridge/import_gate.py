"""Lets a cell's imports of flytekit wait for the one in the background; what that one imports is left to the extension.

Two threads that import a package and a module of it at once can each hold what the other waits for. Python breaks the
knot by handing out half a module: `from flytekit.core.type_engine import TypeEngine` in the first cell then fails.
"""

from __future__ import annotations

import builtins
import threading
from typing import Any

_GUARDED = frozenset({"flytekit", "flyteidl", "flytenb"})


class ImportGate:
    """Stands before `import` while a thread is alive; what the guarded packages import themselves passes."""

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
        root, _, inside = name.partition(".")
        caller = str((globals or {}).get("__name__", "")).partition(".")[0]
        if level == 0 and inside and root in _GUARDED and caller not in _GUARDED:
            self._wait()
        return self._import(name, globals, locals, fromlist, level)

    def _wait(self) -> None:
        if self._thread is not threading.current_thread() and self._thread.is_alive():
            self._thread.join()
