"""Named threads that all runs share.

Named and used again, because flytekit keeps one event-loop thread for ever per thread *name* that it meets. Daemons, so
that a task that never returns can't keep the interpreter alive.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue

from flytenb.reach.process_state import take_own_cwd


class WorkerPool:
    """Threads `flytenb-0`, `flytenb-1`, …: one is added only if none is idle, and none ends."""

    def __init__(self, name: str = "flytenb") -> None:
        self._name = name
        self._start_anew()
        os.register_at_fork(after_in_child=self._start_anew)

    def _start_anew(self) -> None:
        """Start without threads: a forked process has none of its parent's."""
        self._lock = threading.Lock()
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._idle = 0
        self._count = 0
        self._local = threading.local()

    def submit(self, job: Callable[[], None]) -> None:
        """Run `job` at once on an idle or new thread."""
        with self._lock:
            if self._idle > 0:
                self._idle -= 1
            else:
                thread = threading.Thread(target=self._work, name=f"{self._name}-{self._count}", daemon=True)
                self._count += 1
                thread.start()
        self._jobs.put(job)

    def release(self) -> None:
        """Count this thread as idle, because its job is about to return. Does nothing on other threads.

        A run calls it before it reports its end; otherwise the next run would find this thread busy and start another.
        """
        if getattr(self._local, "is_busy", False):
            self._local.is_busy = False
            with self._lock:
                self._idle += 1

    def _work(self) -> None:
        take_own_cwd()
        while True:
            # Jobs report their own failures; what is left here can only end the thread.
            with suppress(BaseException):
                self._do(self._jobs.get())
            self.release()

    def _do(self, job: Callable[[], None]) -> None:
        # A function of its own, or an idle thread would hold its last job and with it a run.
        self._local.is_busy = True
        job()

    def __repr__(self) -> str:
        return f"<WorkerPool {self._name}: {self._count} threads, {self._idle} idle>"


workers = WorkerPool()
