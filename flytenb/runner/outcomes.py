"""Ends of steps and scopes: what succeeds, fails, is retried, skipped or aborted, and what becomes ready by it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from flytenb.bridge.context import Workspace
from flytenb.bridge.execution.calls import is_recoverable
from flytenb.errors import NestingError, WorkerLostError
from flytenb.model import Phase
from flytenb.reach.state_uses import NOTHING
from flytenb.runner.failure import Failure
from flytenb.runner.journal import Journal
from flytenb.runner.propagation import dependents, pass_over, unfinished
from flytenb.runner.resources import resources
from flytenb.runner.step import DONE, WAITING, HandlerScope, RunControl, Scope, Step
from flytenb.wording.text import class_name

_SUCCEEDED = Phase.SUCCEEDED  # looked up once: an attribute of an enumeration's class takes 0.3 µs in Python 3.11
_BACKOFF = 0.1
_LONGEST_BACKOFF = 5.0


class AttemptControl(RunControl, Protocol):
    """A run as the ends of its steps use it. Every method is called under the scheduler's lock."""

    def end_attempt(self, step: Step) -> None:
        """End the current attempt, if any: its timer, and its share of the workers."""

    def abandon(self, step: Step) -> None:
        """End the current attempt, request its stop, and let another worker replace its own."""

    def retry_later(self, step: Step, pause: float) -> None:
        """Begin another attempt after a pause in seconds."""


class Outcomes:
    """The ends of a run's steps and scopes. Every method is called under the scheduler's lock.

    Methods that return steps return those that are ready by it. The run is an argument and isn't kept: it and its
    outcomes would form a cycle.

    Args:
        journal: the journal of the run.
        workspace: the directory and the flytekit contexts of the run.

    Attributes:
        root: the scope of the run's closing step, None before the start.
        inside: the scope of all other steps.
        failure: the first failure.
        also_failed: the other failures.
        is_over: whether the run has ended; its state doesn't change after this.
    """

    def __init__(self, journal: Journal, workspace: Workspace) -> None:
        self.root: Scope | None = None
        self.inside: Scope | None = None
        self.failure: Failure | None = None
        self.also_failed: tuple[Failure, ...] = ()
        self.is_over = False
        self._journal = journal
        self._workspace = workspace

    def settle(self, step: Step, run: AttemptControl, phase: Phase = _SUCCEEDED) -> list[Step]:
        """Mark a step as done."""
        run.end_attempt(step)
        step.state = DONE
        scope = step.scope
        if step.is_closing:
            if run.past is not None and not step.is_opening and scope.is_resumable:
                run.past.mark_if_all(step.record, self._journal.records)
            self._journal.set_phase(step.record, phase)
        scope.open -= 1
        scope.note_done(step, run)
        ready = step.release()
        if step.opens is not None and step.opens.open == 0:
            ready += self.close(step.opens, run)
        if scope.open == 0:
            ready += self.close(scope, run)
        return ready

    def skip(self, steps: Iterable[Step]) -> list[Step]:
        """Skip the steps of cases that aren't taken."""
        skipped = [s for s in steps if s.state is WAITING]
        for step in skipped:
            step.state = DONE
            self._journal.set_phase(step.record, Phase.SKIPPED)
        ready = []
        for step in skipped:
            step.scope.open -= 1
            ready += step.release()
        return ready

    def handle_error(
        self, step: Step, error: BaseException, words: str, run: AttemptControl, phase: Phase = Phase.FAILED
    ) -> list[Step]:
        """Retry or fail a step, whose error has a message."""
        run.end_attempt(step)
        record = step.record
        retry = is_recoverable(error) or isinstance(error, WorkerLostError) or phase is Phase.TIMED_OUT
        if retry and step.tries <= step.retries:
            record.retries += (f"{class_name(error)}: {words}",)
            self._journal.emit("attempt", record, attempt=step.tries, text=record.retries[-1])
            step.state = WAITING
            run.retry_later(step, min(_BACKOFF * 2 ** (step.tries - 1), _LONGEST_BACKOFF))
            return []
        failure = Failure(record.path, error, phase, words, record.retries, record.getters, self._workspace)
        return self._fail(step, failure, run, phase)

    def fail(self, step: Step, failure: Failure, run: AttemptControl) -> list[Step]:
        """End the attempt at a step, and fail it without a retry."""
        run.end_attempt(step)
        return self._fail(step, failure, run, failure.phase)

    def _fail(self, step: Step, failure: Failure, run: AttemptControl, phase: Phase = Phase.FAILED) -> list[Step]:
        """Fail a step without retry; its scope decides about the others."""
        inside = step.closes
        if inside is not None and inside.handler is not None:
            # A workflow with outputs that can't be converted fails like one with failed nodes: its handler runs first.
            inside.failures.append(failure)
            inside.is_closed = False
            step.state = WAITING
            return self.close(inside, run)
        step.record.error = failure
        self._journal.set_phase(step.record, phase, failure.message)
        step.state = DONE
        around = step.case_of
        while around is not None:  # a conditional fails with its case
            around.record.error = failure
            self._journal.set_phase(around.record, Phase.FAILED, failure.message)
            around = around.case_of
        scope = step.scope
        scope.open -= 1
        if scope.tolerates(step, failure, run):
            ready = pass_over(step)
        else:
            ready = []
            scope.failures.append(failure)
            # With a recursion of two calls at each level, what could go on has 2^200 steps.
            if scope.is_fail_fast or isinstance(failure.exception, NestingError):
                self.abort(unfinished(scope), run)
            else:
                self.abort(dependents(step), run)
        return [*ready, *self.close(scope, run)] if scope.open == 0 else ready

    def abort(self, steps: Iterable[Step], run: AttemptControl) -> None:
        """Abort steps, each before the next is requested."""
        for step in steps:
            step.state = DONE
            step.scope.open -= 1
            if step.state_use is not NOTHING:
                resources.exclusion.forget(run, step.path, step.state_use)
            run.abandon(step)
            self._journal.set_phase(step.record, Phase.ABORTED)

    def close(self, scope: Scope, run: AttemptControl) -> list[Step]:
        """Close a scope after its last step; the handler of one that failed runs first."""
        if scope.is_closed:
            return []
        if scope.failures and scope.handler is not None:
            handler, scope.handler = scope.handler, None
            handler.attach()
            return handler.first()
        scope.is_closed = True
        scope.note_closed()
        if isinstance(scope, HandlerScope):
            scope.failed.failures += scope.failures
            return self.close(scope.failed, run)
        if scope.parent is None:
            self.failure = scope.failures[0] if scope.failures else None
            if self.inside is not None:
                self.also_failed = tuple(self.inside.failures[1:])
            self.finish(Phase.FAILED if scope.failures else Phase.SUCCEEDED)
            return []
        closing = scope.closing
        if closing is None or closing.state is DONE:
            return []
        if scope.failures:
            return self._fail(closing, scope.failures[0], run)
        closing.waits -= 1
        return [closing] if closing.waits == 0 else []

    def finish(self, phase: Phase) -> None:
        """End the run."""
        self.is_over = True
        for record in self._journal.records.values():
            # Never reached: an unused failure handler, nodes after a failure.
            if record.phase is Phase.QUEUED:
                self._journal.set_phase(record, Phase.SKIPPED if phase is Phase.SUCCEEDED else Phase.ABORTED)
        self._journal.set_phase(self._journal.run_record, phase, self.failure.message if self.failure else "")
