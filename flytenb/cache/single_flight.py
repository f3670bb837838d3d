"""Equal calls of cached tasks, one after the other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class SingleFlight:
    """Lets one of several equal calls run at a time, so that the first one's result serves the others."""

    def __init__(self) -> None:
        self.start_anew()

    def start_anew(self) -> None:
        """Forget the calls of the parent process, in a process that was forked."""
        self._calls: dict[str, tuple[threading.Lock, int]] = {}
        self._lock = threading.Lock()

    @contextmanager
    def of(self, key: str) -> Iterator[None]:
        """Wait for the equal calls that began before."""
        with self._lock:
            lock, users = self._calls.get(key) or (threading.Lock(), 0)
            self._calls[key] = lock, users + 1
        try:
            with lock:
                yield
        finally:
            with self._lock:
                lock, users = self._calls.pop(key)
                if users > 1:
                    self._calls[key] = lock, users - 1
