"""Patches of one session: applied when the extension is loaded, undone when it is unloaded.

Nothing here imports flytekit or IPython; the caller gives the shell.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from flytenb.bridge.patch import set_attribute


class Patches:
    """The patches that are applied, and how to undo them."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []
        self._is_flytekit_patched = False

    def undo(self) -> None:
        """Undo all, the last first."""
        while self._undo:
            self._undo.pop()()
        self._is_flytekit_patched = False

    def set(self, owner: Any, name: str, value: Any) -> None:
        """Set an attribute until `undo`."""
        self._undo.append(set_attribute(owner, name, value))

    def apply(self, *subjects: str) -> None:
        """Apply the patches of flytekit, those of some subjects of the table or all; a second call does nothing."""
        if self._is_flytekit_patched:
            return
        self._is_flytekit_patched = True
        from flytenb.bridge.patches.table import PATCHES

        for subject, patches in PATCHES.items():
            if not subjects or subject in subjects:
                self._undo += [patch.apply() for patch in patches]

    def follow_classes(self, namespace: Mapping[str, Any]) -> None:
        """Give classes that a cell has defined again the transformers of their earlier definitions."""
        if self._is_flytekit_patched:
            from flytenb.bridge.patches.carried_transformers import carry_transformers

            carry_transformers(namespace)

    # --- what importing flytekit does to a shell -----------------------------------------------------------------

    def restore_tracebacks(self, shell: Any, *, was_found: bool) -> None:
        """Remove rich's tracebacks from the shell: with them no `error` output reaches the notebook.

        Importing flytekit calls `rich.traceback.install`, which sets methods on the shell.

        Args:
            shell: IPython's.
            was_found: whether they were there before flytenb; `undo` then puts them back.
        """
        for name in ("_showtraceback", "showtraceback", "showsyntaxerror"):
            found = vars(shell).get(name)
            if found is not None and getattr(found, "__module__", "") == "rich.traceback":
                delattr(shell, name)
                if was_found:
                    self._undo.append(lambda name=name, found=found: setattr(shell, name, found))  # type: ignore[misc]
        if getattr(sys.excepthook, "__module__", "") == "rich.traceback":
            if was_found:
                self.set(sys, "excepthook", sys.__excepthook__)
            else:
                sys.excepthook = sys.__excepthook__

    def restore_interrupt(self, *, was_found: bool) -> None:
        """Remove flytekit's SIGINT handler: with it an interrupt ends in `NameError: exit`.

        Args:
            was_found: whether it was there before flytenb; `undo` then puts it back.
        """
        if threading.current_thread() is not threading.main_thread():
            return
        handler = signal.getsignal(signal.SIGINT)
        if getattr(handler, "__module__", "").startswith("flytekit"):
            signal.signal(signal.SIGINT, signal.default_int_handler)
            if was_found:
                self._undo.append(lambda: _set_handler(handler))


def _set_handler(handler: Any) -> None:
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, handler)
