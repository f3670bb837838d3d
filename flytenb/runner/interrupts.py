"""Waiting and acting on the main thread, where an interrupt may be raised between any two instructions."""

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
    """Is set once, and may be waited for by any number of threads, of which any may be interrupted anywhere.

    A `threading.Event` is not safe for that: an interrupt between its taking its lock and its guarding it (both are
    Python code) leaves it locked, and whoever sets it waits for ever. Nor is one long wait: a signal that arrives just
    before the thread sleeps doesn't wake it, so it looks up ten times a second.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._waiting: deque[threading.Lock] = deque()

    def is_set(self) -> bool:
        """Tell whether it is set."""
        return self._is_set

    def set(self) -> None:
        """Set it and wake everybody."""
        if not self._is_set:
            self._is_set = True
            self.nudge()  # who comes later sees that it is set

    def nudge(self) -> None:
        """Wake everybody for a look around."""
        for waiter in list(self._waiting):
            with suppress(RuntimeError):  # it is awake already
                waiter.release()

    def wait(self, timeout: float | None = None, on_wake: Callable[[], None] | None = None) -> bool:
        """Wait until it is set, or for so many seconds; tell whether it is.

        Args:
            timeout: in seconds; None for as long as it takes.
            on_wake: called, on this thread, first and each time that it wakes.
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
    """Let an interrupt of the main thread wait until the block is done: what it does must not be done by half.

    Inside of another such block it waits until that one is done.
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
