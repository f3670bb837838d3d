"""Threads shared by all live views: a ticker and two job queues.

Their number and names are fixed, since flytekit keeps an event-loop thread for each thread *name*. They are daemons
and don't keep the interpreter alive. Unloading the extension ends them.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable
from queue import SimpleQueue
from typing import Protocol

from flytenb.errors import headline
from flytenb.locks import new_lock

INTERVAL = 0.1
"""Seconds between two updates of a page."""


class Tickable(Protocol):
    """Interface of objects that the ticker calls."""

    def tick(self) -> bool:
        """Do what is due; return False to be removed."""


class Ticker:
    """Calls its views ten times a second until they return False; its thread sleeps while there are none."""

    def __init__(self, name: str = "flytenb-live") -> None:
        self._name = name
        self._start_anew()
        os.register_at_fork(after_in_child=self._start_anew)

    def _start_anew(self) -> None:
        """Reset the state; a forked process has none of its parent's threads."""
        self._views: list[Tickable] = []
        # The lock is acquired directly: an interrupt in the condition's Python code would leave it locked.
        self._lock = new_lock()
        self._wake = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None
        self._is_kept = True

    def add(self, view: Tickable) -> None:
        """Add a view and call it at once."""
        with self._lock:
            self._views.append(view)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
            self._wake.notify()

    def keep_thread(self, is_kept: bool) -> None:
        """Set whether the thread outlives the last view; the next view starts another if it doesn't."""
        with self._lock:
            self._is_kept = is_kept
            self._wake.notify()

    def _work(self) -> None:
        while True:
            with self._lock:
                while not self._views:
                    if not self._is_kept:
                        self._thread = None
                        return
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
        # A failing view must not stop the run or other views; the failure is reported.
        warnings.warn(f"the live view stopped: {headline(error)}", stacklevel=2)
        return False


class JobQueue:
    """Executes jobs one after the other in its own thread."""

    def __init__(self, name: str = "flytenb-show") -> None:
        self._name = name
        self._start_anew()
        os.register_at_fork(after_in_child=self._start_anew)

    def _start_anew(self) -> None:
        """Reset the state; a forked process has none of its parent's threads."""
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._lock = new_lock()
        self._thread: threading.Thread | None = None
        self._is_kept = True

    def submit(self, job: Callable[[], None]) -> None:
        """Queue a job."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
            self._jobs.put(job)

    def keep_thread(self, is_kept: bool) -> None:
        """Set whether the thread outlives the last job; the next job starts another if it doesn't."""
        with self._lock:
            self._is_kept = is_kept
            if self._thread is not None:
                self._jobs.put(_do_nothing)

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            try:
                job()
            except Exception as error:
                warnings.warn(f"a job of the live view failed: {headline(error)}", stacklevel=2)
            with self._lock:
                if not self._is_kept and self._jobs.empty():
                    self._thread = None
                    return

    def __repr__(self) -> str:
        return f"<JobQueue {self._name}: {self._jobs.qsize()} jobs>"


def _do_nothing() -> None:
    """The job that wakes a thread up."""
