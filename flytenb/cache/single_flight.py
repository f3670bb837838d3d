"""Equal calls of cached tasks, one after the other."""

from __future__ import annotations

import threading

from flytenb.locks import new_lock


class SingleFlight:
    """Lets one of several equal calls run at a time, so that the first one's result serves the others."""

    def __init__(self) -> None:
        self.start_anew()

    def start_anew(self) -> None:
        """Forget the calls of the parent process, in a process that was forked."""
        self.calls: dict[str, tuple[threading.Lock, int]] = {}
        self.lock = new_lock()

    def of(self, key: str) -> Flight:
        """Return a block that waits for the equal calls that began before."""
        return Flight(self, key)


class Flight:
    """One call. A generator would set attributes of the user's exceptions, which may forbid that.

    Args:
        flights: the calls that are under way.
        key: is equal for equal calls.
    """

    def __init__(self, flights: SingleFlight, key: str) -> None:
        self._flights = flights
        self._key = key

    def __enter__(self) -> None:
        with self._flights.lock:
            self._lock, users = self._flights.calls.get(self._key) or (new_lock(), 0)
            self._flights.calls[self._key] = self._lock, users + 1
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
        with self._flights.lock:
            users = self._flights.calls.pop(self._key, (self._lock, 0))[1]  # none in a process forked meanwhile
            if users > 1:
                self._flights.calls[self._key] = self._lock, users - 1
