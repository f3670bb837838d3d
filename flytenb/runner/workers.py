"""Named threads that all runs share.

They have names and are used again because flytekit keeps one event-loop thread per thread *name* for ever. They are
daemons, so that a task that never returns doesn't keep the interpreter alive.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue

from flytenb.bridge.execution.coroutines import begin_thread
from flytenb.locks import new_lock
from flytenb.reach.working_directory import take_own_cwd


class WorkerPool:
    """Threads `flytenb-0`, `flytenb-1`, …; one is started only when none is idle."""

    def __init__(self, name: str = "flytenb") -> None:
        self._name = name
        self.start_anew()

    def start_anew(self) -> None:
        """Start without threads: a forked process has none of its parent's."""
        self._lock = new_lock()
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._idle = 0
        self._count = 0
        self._unused: list[int] = []
        self._local = threading.local()

    def submit(self, job: Callable[[], None]) -> None:
        """Run `job` at once on an idle or new thread."""
        with self._lock:
            if self._idle > 0:
                self._idle -= 1
            else:
                number = heapq.heappop(self._unused) if self._unused else self._count
                self._count = max(self._count, number + 1)
                name = f"{self._name}-{number}"
                threading.Thread(target=self._work, args=(number,), name=name, daemon=True).start()
        self._jobs.put(job)

    def release(self) -> None:
        """Count this thread as idle, because its job is about to return. Does nothing on other threads.

        A run calls it before it reports its end; otherwise the next run would find this thread busy and start another.
        """
        if getattr(self._local, "is_busy", False):
            self._local.is_busy = False
            with self._lock:
                self._idle += 1

    def close(self) -> None:
        """End the idle threads. Busy ones go on, and later jobs start threads of the same names."""
        with self._lock:
            idle, self._idle = self._idle, 0
        for _ in range(idle):
            self._jobs.put(None)

    def _work(self, number: int) -> None:
        take_own_cwd()
        begin_thread()
        is_open = True
        while is_open:
            # Jobs report their own failures; an exception that arrives here could only end the thread.
            with suppress(BaseException):
                is_open = self._do_next()
            self.release()
        with self._lock:
            heapq.heappush(self._unused, number)

    def _do_next(self) -> bool:
        """Do one job; return whether there may be more. An idle thread must not hold its last job and with it a run."""
        job = self._jobs.get()
        if job is None:
            return False
        self._local.is_busy = True
        job()
        return True

    def __repr__(self) -> str:
        return f"<WorkerPool {self._name}: {self._count - len(self._unused)} threads, {self._idle} idle>"
