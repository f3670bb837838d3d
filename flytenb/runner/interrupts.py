"""Latches and blocks that are safe on the main thread, where an interrupt may arrive between any two instructions."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found] # `signal` takes 14 µs, not 0.3: it has enumerations
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_LOOK_EVERY = 0.1


class Latch:
    """Event that is set once; any number of threads may wait for it, and each may be interrupted at any instruction.

    A `threading.Event` isn't safe for that: an interrupt between the acquisition of its lock and the `try` that guards
    it (both are Python code) leaves it locked, and `set` blocks forever. A single long wait isn't safe either: a signal
    that arrives just before the thread sleeps doesn't wake it, so the latch is checked ten times a second.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._waiting: deque[threading.Lock] = deque()

    def is_set(self) -> bool:
        """Return whether it is set."""
        return self._is_set

    def set(self) -> None:
        """Set it and wake all waiting threads."""
        if not self._is_set:
            self._is_set = True
            self.nudge()  # later waits return at once

    def nudge(self) -> None:
        """Wake all waiting threads, without setting it."""
        for waiter in list(self._waiting):
            with suppress(RuntimeError):  # it is awake already
                waiter.release()

    def wait(self, timeout: float | None = None, on_wake: Callable[[], None] | None = None) -> bool:
        """Wait until it is set or the timeout has passed; return whether it is set.

        Args:
            timeout: in seconds; None waits without limit.
            on_wake: called on this thread at the start and each time that it wakes.
        """
        until = None if timeout is None else time.monotonic() + timeout
        waiter = threading.Lock()
        waiter.acquire()
        self._waiting.append(waiter)
        try:
            while not self._is_set:
                if on_wake is not None:
                    on_wake()
                left = _LOOK_EVERY if until is None else min(_LOOK_EVERY, until - time.monotonic())
                if left <= 0:
                    break
                waiter.acquire(timeout=left)
        finally:
            self._waiting.remove(waiter)
        return self._is_set


_SIGINT = int(signal.SIGINT)
_is_held_back = False


@contextmanager
def held_back() -> Iterator[None]:
    """Delay an interrupt of the main thread until the end of the block, which must not be executed in part.

    In a nested block it is deferred until the end of the outer one.
    """
    global _is_held_back
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or _is_held_back or _signal.getsignal(_SIGINT) is None:
        yield
        return
    caught: list[int] = []
    handler = _signal.signal(_SIGINT, lambda number, _: caught.append(number))
    _is_held_back = True
    try:
        yield
    finally:
        _is_held_back = False
        _signal.signal(_SIGINT, handler)
        if caught:
            signal.raise_signal(signal.SIGINT)
