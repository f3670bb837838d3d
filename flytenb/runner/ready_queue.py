"""Ready queue and worker limit of one run."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from flytenb.runner.resources import resources
from flytenb.runner.step import READY, Step

Work = Callable[[Step], None]


class ReadyQueue:
    """Assigns ready steps to workers. Every method is called under the scheduler's lock.

    A step that may block for long runs on a thread that isn't counted. The function of a worker is an argument of each
    call and isn't kept: a run and its queue would form a cycle.

    Args:
        limit: the number of workers that may be busy at the same time.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._busy = 0
        self._queue: deque[Step] = deque()

    def put(self, ready: Iterable[Step], work: Work) -> None:
        """Assign ready steps to free workers, and queue the others."""
        for step in ready:
            step.state = READY
            if step.holds_worker and self._busy >= self._limit:
                self._queue.append(step)
                continue
            self._busy += step.holds_worker
            resources.workers.submit(lambda step=step: work(step))  # type: ignore[misc]

    def next_after(self, done: Step, ready: Sequence[Step], work: Work) -> Step | None:
        """Return the next step of the worker of `done`: the first that `done` made ready, else the queue's first."""
        if not done.holds_worker:
            self.put(ready, work)
            return None
        if len(ready) == 1 and ready[0].holds_worker:
            ready[0].state = READY
            return ready[0]
        mine: Step | None = None
        others: list[Step] = []
        for step in ready:
            if mine is None and step.holds_worker:
                step.state = READY
                mine = step
            else:
                others.append(step)
        if others:
            self.put(others, work)
        if mine is None:
            mine = self._take()
        if mine is None:
            self._busy -= 1
        return mine

    def replace_worker(self, work: Work) -> None:
        """Count a worker as lost to a task that may never return, and replace it."""
        self._busy -= 1
        while self._busy < self._limit:
            step = self._take()
            if step is None:
                return
            self.put([step], work)

    def clear(self) -> None:
        """Remove all queued steps."""
        self._queue.clear()

    def _take(self) -> Step | None:
        """Remove and return the first queued step that hasn't been aborted."""
        while self._queue:
            step = self._queue.popleft()
            if step.state is READY:
                return step
        return None
