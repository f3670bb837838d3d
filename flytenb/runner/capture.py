"""What a node prints goes to that node; everything else goes where it always went.

A thread that outlives its cell would print into the next one, so a run stands between `print` and the notebook.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any, TextIO

_local = threading.local()
_lock = threading.Lock()
_users = 0


class _Routed:
    """A text stream that asks, at each write, whether this thread is running a node."""

    def __init__(self, original: TextIO) -> None:
        self._original = original

    def write(self, text: str) -> int:
        sink: Callable[[str], None] | None = getattr(_local, "sink", None)
        if sink is None:
            return self._original.write(text)
        sink(text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if getattr(_local, "sink", None) is None:
            self._original.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)


def begin() -> None:
    """Start routing, unless another run has."""
    global _users
    with _lock:
        _users += 1
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if not isinstance(stream, _Routed):
                setattr(sys, name, _Routed(stream))


def end() -> None:
    """Put the streams back when the last run ends; one that somebody replaced meanwhile stays theirs."""
    global _users
    with _lock:
        _users -= 1
        if _users == 0:
            for name in ("stdout", "stderr"):
                stream = getattr(sys, name)
                if isinstance(stream, _Routed):
                    setattr(sys, name, stream._original)


def write_captured(text: str) -> None:
    """Add what was printed elsewhere to what this thread's node prints."""
    sink: Callable[[str], None] | None = getattr(_local, "sink", None)
    if sink is not None and text:
        sink(text)


def set_sink(sink: Callable[[str], None] | None) -> None:
    """Send what this thread prints from now on to `sink`, or to the notebook again."""
    _local.sink = sink
