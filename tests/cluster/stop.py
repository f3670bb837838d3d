"""Requests to stop that reach everything that runs below."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stopped(Exception):
    """What runs was asked to stop."""


class Stop:
    """A request that is set once, and then holds for all that were made from it."""

    def __init__(self, parent: Stop | None = None) -> None:
        self._lock = threading.Lock()
        self._is_set = False
        self._callbacks: list[Callable[[], None]] = []
        if parent is not None:
            parent._add(self.set)

    @property
    def is_set(self) -> bool:
        return self._is_set

    def check(self) -> None:
        if self._is_set:
            raise Stopped

    def set(self) -> None:
        with self._lock:
            if self._is_set:
                return
            self._is_set = True
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback()

    def _add(self, callback: Callable[[], None]) -> None:
        with self._lock:
            if not self._is_set:
                self._callbacks.append(callback)
                return
        callback()

    @contextmanager
    def calling(self, callback: Callable[[], None]) -> Iterator[None]:
        """Call the callback when the request is set, at once if it is, in the body of the statement only."""
        self._add(callback)
        try:
            yield
        finally:
            with self._lock:
                if callback in self._callbacks:
                    self._callbacks.remove(callback)
