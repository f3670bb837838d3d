"""The threads that all live views share: one that tells pages what changed, two for whatever may take longer.

Fixed and named, because flytekit keeps one event-loop thread for ever per thread *name* that it meets. Daemons: they
never keep an interpreter alive.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable
from queue import SimpleQueue
from typing import Protocol

from flytenb.errors import headline

INTERVAL = 0.1
"""Seconds between two updates of a page: at most ten a second."""


class Tickable(Protocol):
    """What wants to be called ten times a second."""

    def tick(self) -> bool:
        """Do what is due; return False if there will never be anything due again."""


class Ticker:
    """Calls each of its views in turn until they have had enough; its thread sleeps while there are none."""

    def __init__(self, name: str = "flytenb-live") -> None:
        self._name = name
        self._start_anew()
        os.register_at_fork(after_in_child=self._start_anew)

    def _start_anew(self) -> None:
        """Begin without a thread: a process that was forked has none of its parent's."""
        self._views: list[Tickable] = []
        # The lock itself is taken, never the condition: an interrupt amid the latter's Python code leaves it locked.
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None

    def add(self, view: Tickable) -> None:
        """Call a view from now on, for the first time at once."""
        with self._lock:
            self._views.append(view)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
            self._wake.notify()

    def _work(self) -> None:
        while True:
            with self._lock:
                while not self._views:
                    self._wake.wait()
                views = list(self._views)
            over = [view for view in views if not _is_still_due(view)]
            with self._lock:
                self._views = [view for view in self._views if view not in over]
                if self._views == views:
                    self._wake.wait(INTERVAL)

    def __repr__(self) -> str:
        return f"<Ticker {self._name}: {len(self._views)} views>"


def _is_still_due(view: Tickable) -> bool:
    try:
        return view.tick()
    except Exception as error:
        # A view that breaks must neither break the run nor the other views, nor be silent about it.
        warnings.warn(f"the live view stopped: {headline(error)}", stacklevel=2)
        return False


class JobQueue:
    """Does jobs one after the other: layouts and what a page asks for, or values that a reader looks at."""

    def __init__(self, name: str = "flytenb-show") -> None:
        self._name = name
        self._start_anew()
        os.register_at_fork(after_in_child=self._start_anew)

    def _start_anew(self) -> None:
        """Begin without a thread: a process that was forked has none of its parent's."""
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, job: Callable[[], None]) -> None:
        """Do `job` when those before it are done."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
        self._jobs.put(job)

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            try:
                job()
            except Exception as error:
                warnings.warn(f"the live view couldn't do something: {headline(error)}", stacklevel=2)

    def __repr__(self) -> str:
        return f"<JobQueue {self._name}: {self._jobs.qsize()} jobs>"
