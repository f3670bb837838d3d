"""One thread that calls functions at given times: timeouts, pauses between attempts, sleep gates."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from flytenb.locks import new_lock

_SLACK = 64
"""Maximum number of kept entries of cancelled jobs beyond the number of jobs."""


class Clock:
    """Calls jobs in the order of their times; a job that raises doesn't affect the others."""

    def __init__(self) -> None:
        self.start_anew()

    def start_anew(self) -> None:
        """Start without a thread and jobs: a forked process has none of its parent's threads."""
        # The lock itself is taken, never the condition: an interrupt amid the latter's Python code leaves it locked.
        self._lock = new_lock()
        self._wake = threading.Condition(self._lock)
        self._due: list[tuple[float, int]] = []
        self._jobs: dict[int, Callable[[], None]] = {}
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None

    def call_later(self, seconds: float, job: Callable[[], None]) -> int:
        """Call `job` after a number of seconds; return the number that cancels it."""
        with self._lock:
            number = next(self._numbers)
            entry = (time.monotonic() + seconds, number)
            heapq.heappush(self._due, entry)
            self._jobs[number] = job
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="flytenb-clock", daemon=True)
                self._thread.start()
            elif self._due[0] is entry:
                self._wake.notify_all()
            return number

    def cancel(self, number: int) -> None:
        """Cancel a job; its entry is removed at its time."""
        with self._lock:
            self._jobs.pop(number, None)
            if len(self._due) > 2 * len(self._jobs) + _SLACK:
                self._due = [entry for entry in self._due if entry[1] in self._jobs]
                heapq.heapify(self._due)

    def close(self) -> None:
        """End the thread unless jobs are pending; a later job starts another."""
        with self._lock:
            if not self._jobs:
                self._due.clear()
                self._thread = None
                self._wake.notify_all()

    def _work(self) -> None:
        while True:
            job = self._next()
            if job is None:
                return
            with suppress(BaseException):  # or no timeout would come any more
                job()
            del job  # it holds a run

    def _next(self) -> Callable[[], None] | None:
        """Wait for the next job; None once this thread isn't the clock's any more."""
        with self._lock:
            while self._thread is threading.current_thread():
                pause = self._due[0][0] - time.monotonic() if self._due else None
                if pause is None or pause > 0:
                    self._wake.wait(None if pause is None else min(pause, threading.TIMEOUT_MAX))
                    continue
                job = self._jobs.pop(heapq.heappop(self._due)[1], None)
                if job is not None:
                    return job
            return None
