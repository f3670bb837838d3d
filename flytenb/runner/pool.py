"""A fixed set of named threads that all runs share; what they do is left to the scheduler.

Fixed and named, because flytekit keeps one event-loop thread for ever per thread *name* that it meets. Daemons, so that
a task that never returns can't keep the interpreter alive.
"""

from __future__ import annotations

import ctypes
import heapq
import itertools
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue

from flytenb.bridge.coroutines import wake


class WorkerPool:
    """Threads `flytenb-0`, `flytenb-1`, …: one is added only when none is idle, none ever ends."""

    def __init__(self, name: str = "flytenb") -> None:
        self._name = name
        self._lock = threading.Lock()
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._idle = 0
        self._count = 0
        self._local = threading.local()

    def submit(self, job: Callable[[], None]) -> None:
        """Run `job` on a thread as soon as one is free, which is at once."""
        with self._lock:
            if self._idle > 0:
                self._idle -= 1
            else:
                thread = threading.Thread(target=self._work, name=f"{self._name}-{self._count}", daemon=True)
                self._count += 1
                thread.start()
        self._jobs.put(job)

    def release(self) -> None:
        """Count this thread as idle from now on: its job is about to return. Does nothing on any other thread.

        A run says so before it tells anybody that it is over; or the next one would find its last thread still busy
        and start another.
        """
        if getattr(self._local, "is_busy", False):
            self._local.is_busy = False
            with self._lock:
                self._idle += 1

    def _work(self) -> None:
        while True:
            # Jobs report their own failures; what is left is a request to stop that came after its node had ended.
            with suppress(BaseException):
                self._do(self._jobs.get())
            self.release()

    def _do(self, job: Callable[[], None]) -> None:
        # A function of its own, or an idle thread would hold its last job and with it a run.
        self._local.is_busy = True
        job()

    def __repr__(self) -> str:
        return f"<WorkerPool {self._name}: {self._count} threads, {self._idle} idle>"


class Clock:
    """One thread that calls functions at their time: timeouts, sleeping gates."""

    def __init__(self) -> None:
        # The lock itself is taken, never the condition: an interrupt amid the latter's Python code leaves it locked.
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._cancelled: set[int] = set()
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None

    def call_later(self, seconds: float, job: Callable[[], None]) -> int:
        """Call `job` after so many seconds; return the number that cancels it."""
        with self._lock:
            number = next(self._numbers)
            heapq.heappush(self._due, (time.monotonic() + seconds, number, job))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="flytenb-clock", daemon=True)
                self._thread.start()
            self._wake.notify()
            return number

    def cancel(self, number: int) -> None:
        """Forget what was to be called."""
        with self._lock:
            self._due = [entry for entry in self._due if entry[1] != number]
            heapq.heapify(self._due)
            self._wake.notify()

    def _work(self) -> None:
        while True:
            with self._lock:
                while not self._due or self._due[0][0] > time.monotonic():
                    self._wake.wait(self._due[0][0] - time.monotonic() if self._due else None)
                _, _, job = heapq.heappop(self._due)
            job()


workers = WorkerPool()
clock = Clock()


class NodeStopped(BaseException):
    """Raised inside a task's code to ask it to stop: its run was cancelled or its time is up."""


def ask_to_stop(thread_id: int) -> None:
    """Raise NodeStopped in another thread at its next bytecode: at once if it awaits, after a call that sleeps in C."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), ctypes.py_object(NodeStopped))
    _lower_flag()
    wake(thread_id)


def withdraw(thread_id: int) -> None:
    """Take back a request to stop that has not been raised yet."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), None)
    _lower_flag()


class _FlagLowered(BaseException):
    """Raised by a thread in itself, at once."""


def _lower_flag() -> None:
    """Lower the interpreter's flag that some thread has an exception to raise.

    Only raising one lowers it. While it is up, CPython 3.11 spins for ever in the first function that is called under
    a tracer (a debugger, coverage): https://github.com/python/cpython/blob/v3.11.7/Python/ceval.c#L5625. The thread
    that was asked raises its own all the same: it looks for it whenever it takes the GIL.
    """
    try:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(threading.get_ident()), ctypes.py_object(_FlagLowered)
        )
        while True:
            pass
    except _FlagLowered:
        pass
