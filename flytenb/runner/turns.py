"""Whose turn it is: the ready steps of one run and the workers that it may keep busy; what a step does is its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from flytenb.runner.pool import workers
from flytenb.runner.steps import State, Step

Work = Callable[[Step], None]


class Turns:
    """Hands ready steps to workers. Everything here is done under the scheduler's lock.

    A step that may block for long is done apart, by a thread that isn't counted. How a worker works is given with each
    call, not kept: a run and its turns would hold each other.

    Args:
        limit: how many workers may be busy at once.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._busy = 0
        self._queue: deque[Step] = deque()

    def give(self, ready: Iterable[Step], work: Work) -> None:
        """Hand ready steps to free workers, the rest to the queue."""
        for step in ready:
            step.state = State.READY
            if step.holds_worker and self._busy >= self._limit:
                self._queue.append(step)
                continue
            self._busy += step.holds_worker
            workers.submit(lambda step=step: work(step))  # type: ignore[misc]

    def after(self, done: Step, ready: Sequence[Step], work: Work) -> Step | None:
        """Choose what the worker that did a step does next: the first that it readied, else the first in the queue."""
        if not done.holds_worker:
            self.give(ready, work)
            workers.release()
            return None
        mine: Step | None = None
        others: list[Step] = []
        for step in ready:
            if mine is None and step.holds_worker:
                step.state = State.READY
                mine = step
            else:
                others.append(step)
        if others:
            self.give(others, work)
        if mine is None:
            mine = self._take()
        if mine is None:
            self._busy -= 1
            workers.release()
        return mine

    def replace(self, work: Work) -> None:
        """A worker is lost to a task that may never return: another goes on in its place."""
        self._busy -= 1
        while self._busy < self._limit:
            step = self._take()
            if step is None:
                return
            self.give([step], work)

    def clear(self) -> None:
        """Forget what waits for its turn."""
        self._queue.clear()

    def _take(self) -> Step | None:
        """Take the first of the queue that nobody has given up meanwhile."""
        while self._queue:
            step = self._queue.popleft()
            if step.state is State.READY:
                return step
        return None
