"""What importing and using flytekit breaks in a kernel, mended; each repair is undone on unload.

Which shell they are for is told by the caller; nothing here knows IPython.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

_ABSENT = object()


class Repairs:
    """The patches of one session, and how things were before them."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []
        self._are_flytekit_on = False

    def undo(self) -> None:
        """Put everything back, last change first."""
        while self._undo:
            self._undo.pop()()
        self._are_flytekit_on = False

    def replace(self, owner: Any, name: str, value: Any) -> None:
        """Set an attribute until `undo`."""
        before = vars(owner).get(name, _ABSENT)
        setattr(owner, name, value)

        def put_back() -> None:
            if before is _ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, before)

        self._undo.append(put_back)

    # --- before flytekit is imported -----------------------------------------------------------------------------

    def mend_tracebacks(self, shell: Any, *, was_found: bool) -> None:
        """Take rich's tracebacks off the shell: with them no `error` output reaches the notebook any more.

        `rich.traceback.install`, which flytekit calls when it is imported, shadows methods on the shell instance.
        Only a shell that was found so is left so again.
        """
        for name in ("_showtraceback", "showtraceback", "showsyntaxerror"):
            found = vars(shell).get(name)
            if found is not None and getattr(found, "__module__", "") == "rich.traceback":
                delattr(shell, name)
                if was_found:
                    self._undo.append(lambda name=name, found=found: setattr(shell, name, found))  # type: ignore[misc]
        if getattr(sys.excepthook, "__module__", "") == "rich.traceback":
            if was_found:
                self.replace(sys, "excepthook", sys.__excepthook__)
            else:
                sys.excepthook = sys.__excepthook__

    def mend_interrupt(self, *, was_found: bool) -> None:
        """Take flytekit's SIGINT handler away: with it an interrupt ends in `NameError: exit`."""
        if threading.current_thread() is not threading.main_thread():
            return
        handler = signal.getsignal(signal.SIGINT)
        if getattr(handler, "__module__", "").startswith("flytekit"):
            signal.signal(signal.SIGINT, signal.default_int_handler)
            if was_found:
                self._undo.append(lambda: _set_handler(handler))

    # --- once flytekit is there ----------------------------------------------------------------------------------

    def mend_flytekit(self) -> None:
        """Apply every repair that patches flytekit itself; a second call does nothing."""
        if self._are_flytekit_on:
            return
        self._are_flytekit_on = True
        from flytenb.bridge.patches import definitions
        from flytenb.bridge.patches.redefined_classes import explain_redefined

        definitions.keep_interrupt(self)
        definitions.accept_stubs(self)
        definitions.keep_eager_settings(self)
        definitions.mend_compiling(self)
        definitions.allow_registering_again(self)
        explain_redefined(self)

    def follow_classes(self, namespace: Mapping[str, Any]) -> None:
        """Let transformers follow the classes that a cell has defined again, once there is flytekit at all."""
        if self._are_flytekit_on:
            from flytenb.bridge.patches.carried_transformers import carry_transformers

            carry_transformers(namespace)


def _set_handler(handler: Any) -> None:
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, handler)
