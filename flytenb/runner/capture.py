"""Routing of printed text: that of a node to the node, other text to the original stream.

Without it, a thread that outlives its cell would print into the next cell.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import nullcontext
from contextvars import ContextVar
from typing import Any, Protocol, TextIO

from flytenb.bridge.stopping import current_attempt, shielded
from flytenb.locks import new_lock


class Writable(Protocol):
    """Receiver of a node's output."""

    def write(self, text: str) -> None: ...


Sink = Callable[[], Writable | None]
"""Weak reference to the receiver of a node's output: contexts that an event loop keeps must not keep a run alive."""

# A context variable, so that code that a node starts on an event loop or by `asyncio.to_thread` prints there too.
_sink: ContextVar[Sink | None] = ContextVar("flytenb_sink", default=None)
_Start = Callable[[threading.Thread], None]


class _Routed:
    """Text stream that checks at each write whether a node is writing."""

    def __init__(self, original: TextIO) -> None:
        self._original = original

    def write(self, text: str) -> int:
        sink = _sink.get()
        if sink is None:
            return self._original.write(text)
        _write_to(sink, text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if _sink.get() is None:
            self._original.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)


class PrintRouting:
    """The replaced streams of the process, while runs print."""

    def __init__(self) -> None:
        self._lock = new_lock()
        self._users = 0
        # Recently installed streams. `print` of CPython 3.11 has no reference to its stream: a stream that another
        # thread replaces and frees during the call crashes the process.
        self._recent: deque[Any] = deque(maxlen=64)
        self._starts: tuple[_Start, _Start] | None = None  # `Thread.start` without a run and during one

    def begin(self, *, is_replaced: bool = False) -> None:
        """Start routing, unless another run has.

        Args:
            is_replaced: whether a task has installed its own stream for a time.
        """
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._starts = threading.Thread.start, _start_for_node(threading.Thread.start)
                threading.Thread.start = self._starts[1]  # type: ignore[method-assign, assignment]
            if is_replaced:
                return
            for name in ("stdout", "stderr"):
                stream = getattr(sys, name)
                if not isinstance(stream, _Routed):
                    self._recent.append(_Routed(stream))
                    setattr(sys, name, self._recent[-1])

    def hold(self) -> None:
        """Keep the routing until one more `end`."""
        with self._lock:
            self._users += 1

    def end(self) -> None:
        """Restore the streams when the last run ends, except those that were replaced by other code."""
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._take_out()

    def start_anew(self) -> None:
        """Reset the routing in a forked process, which has no runs."""
        self._users = 0
        self._lock = new_lock()
        self._take_out()

    def _take_out(self) -> None:
        if self._starts is not None and threading.Thread.start is self._starts[1]:
            threading.Thread.start = self._starts[0]  # type: ignore[method-assign, assignment]
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if isinstance(stream, _Routed):
                setattr(sys, name, stream._original)


def _start_for_node(start: _Start) -> _Start:
    """Let a thread that a node starts print to that node: before Python 3.14 no thread inherits a context.

    A request to stop is deferred until the thread has started. Until then it has the id of its creator in CPython 3.11,
    and would take the request: it would end before its first line, and its creator would wait for it forever. After
    the request no other one follows: what cleans up may start threads.
    """

    def start_thread(self: threading.Thread) -> None:
        sink = _sink.get()
        if sink is not None:
            run = self.run

            def run_for_node() -> None:
                vars(self).pop("run", None)
                _sink.set(sink)
                run()

            self.run = run_for_node  # type: ignore[method-assign]
        with nullcontext() if current_attempt().is_asked else shielded():
            start(self)

    return start_thread


def write_captured(text: str) -> None:
    """Add text that was printed in another process to the output of this thread's node."""
    sink = _sink.get()
    if sink is not None and text:
        _write_to(sink, text)


def set_sink(sink: Sink | None) -> None:
    """Route the later output of this thread to `sink`, or to the notebook if it is None."""
    _sink.set(sink)


def _write_to(sink: Sink, text: str) -> None:
    node = sink()
    if node is not None:
        node.write(str.__str__(text))
