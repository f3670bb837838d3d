"""Processes that all runs share, each an executor of one worker: ending one doesn't affect the others."""

from __future__ import annotations

import os
import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from loky.process_executor import ProcessPoolExecutor


class ProcessPool:
    """One process for each processor, started when it is first needed and then reused."""

    def __init__(self) -> None:
        self.start_anew()

    def start_anew(self) -> None:
        """Start without processes: those of a forked process's parent aren't its own."""
        self._places: queue.LifoQueue[ProcessPoolExecutor | None] = queue.LifoQueue()
        size = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        for _ in range(size):
            self._places.put(None)

    @contextmanager
    def lease(self, prepare: Callable[[], None]) -> Iterator[ProcessPoolExecutor]:
        """Hold one process; after an error it is ended, and replaced when its place is next used.

        Args:
            prepare: called in a new process.
        """
        executor = self._places.get() or ProcessPoolExecutor(max_workers=1, initializer=prepare)
        is_sound = False
        try:
            yield executor
            is_sound = True
        finally:
            if not is_sound:
                executor.shutdown(wait=False, kill_workers=True)
            self._places.put(executor if is_sound else None)

    def close(self) -> None:
        """End the processes that aren't held; the next task starts another."""
        idle: list[ProcessPoolExecutor | None] = []
        with suppress(queue.Empty):
            while True:
                idle.append(self._places.get_nowait())
        for executor in idle:
            if executor is not None:
                executor.shutdown(wait=False, kill_workers=True)
            self._places.put(None)
