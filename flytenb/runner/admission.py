"""Admission of ready steps: a step waits for process-wide state that another step uses."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from flytenb.bridge.context import is_in_node
from flytenb.bridge.stopping import Attempt, current_attempt
from flytenb.reach.state_kinds import EVERYTHING, MAIN_THREAD
from flytenb.reach.state_uses import StateUse
from flytenb.runner.exclusion import Hold
from flytenb.runner.journal import Journal
from flytenb.runner.resources import resources
from flytenb.runner.step import READY, EntityStep, Step

_NEEDS_MAIN_THREAD = (
    "this task must run on the main thread (signal handler, database connection of a cell); it starts when the main "
    "thread waits for the run: run.wait() or `await run`. With processes=True each task has its own main thread"
)


class Admission:
    """Admits the steps of a run that use process-wide state. Every method is called under the scheduler's lock.

    The function that begins a step later is an argument and isn't kept: a run and its admission would form a cycle.

    Args:
        journal: the journal of the run.

    Attributes:
        alone: the running step that excludes all others, if there is one.
        running: the number of running steps that hold a worker.
    """

    def __init__(self, journal: Journal) -> None:
        self.alone: Step | None = None
        self.running = 0
        self._journal = journal
        self._around: Hold | None = current_attempt().hold
        self._is_nested = is_in_node()
        self._aside: list[Step] = []

    def admit(self, step: Step, attempt: Attempt, begin_later: Callable[[Step], None], run: object) -> bool:
        """Let a step use its state; otherwise set it aside and call `begin_later` with it when it may start."""
        use = step.state_use
        if use.is_peaceful and use and self.alone is None and not use.inputs:
            hold = Hold(run, step.record.path, use, self._around, self._is_nested)
            if resources.exclusion.share(hold):
                attempt.hold = hold
                return True
        names = use.inputs
        if names and isinstance(step, EntityStep):  # its files are known now
            use = step.state_use = use.with_inputs(step.plain_inputs(names))
        blocked = ""
        if self.alone is not None:
            blocked = f"the whole process (used by {self.alone.path})"
        elif EVERYTHING in use.writes and self.running:
            blocked = "the whole process (used by the nodes that run)"
        if blocked:
            self._aside.append(step)
        elif use:
            hold = self.hold_for(step, use, run)
            found = resources.exclusion.take(hold, lambda: resources.workers.submit(lambda: begin_later(step)))
            if found is None:
                attempt.hold = hold
                self.alone = step if EVERYTHING in use.writes else None
                if MAIN_THREAD in use.writes:
                    attempt.remote_call = partial(_call_on_main_thread, use.of_threads)
            blocked = str(found or "")
        if blocked and blocked not in step.record.waited_for:
            step.record.waited_for += (blocked,)
            self._journal.emit("wait", step.record, text=blocked)
        return not blocked

    def hold_for(self, step: Step, use: StateUse, run: object) -> Hold:
        """Return the hold of a step, without acquiring it."""
        return Hold(run, step.path, use, self._around, self._is_nested)

    def dismiss(self, step: Step) -> list[Step]:
        """Record the end of a step; return the steps that were set aside and may try again."""
        self.running -= step.holds_worker
        if self.alone is step:
            self.alone = None
        if not self._aside:
            return []
        aside, self._aside = self._aside, []
        return [s for s in aside if s.state is READY]


def _call_on_main_thread(
    of_threads: tuple[threading.local, ...], function: Callable[..., Any], inputs: dict[str, Any]
) -> Any:
    if not resources.main_thread.is_waiting:
        print(_NEEDS_MAIN_THREAD)  # noqa: T201 - into the node's output
    return resources.main_thread.call(function, inputs, of_threads)
