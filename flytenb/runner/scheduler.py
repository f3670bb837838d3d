"""Walk the steps of a plan on the shared threads; every change of state is made here, under one lock, as an event.

The lock protects bookkeeping only. Steps run, values are converted, failures are read and listeners are called without
it; what comes of that is committed under it.
"""

from __future__ import annotations

import contextvars
import os
import threading
import weakref
from collections.abc import Iterable, Sequence

from flytenb.bridge.context import Workspace
from flytenb.bridge.execution.calls import ignores_outputs, is_recoverable
from flytenb.bridge.patches import during_runs
from flytenb.bridge.stopping import Attempt, set_attempt
from flytenb.errors import NodeTimeoutError, WorkerLostError
from flytenb.model import Phase
from flytenb.reach.process_state import HAS_OWN_CWD, PRIVATE, current_cwd, go_to, save_state
from flytenb.reach.state_uses import NOTHING, StateUse
from flytenb.runner import capture
from flytenb.runner.admission import Admission
from flytenb.runner.ending import Ending
from flytenb.runner.exclusion import Hold, exclusion
from flytenb.runner.failure import Failure, describe
from flytenb.runner.journal import Journal, Listener
from flytenb.runner.propagation import dependents, doomed_in, pass_over, unfinished
from flytenb.runner.ready_queue import ReadyQueue
from flytenb.runner.resources import resources
from flytenb.runner.step import (
    DONE,
    LATER,
    READY,
    RUNNING,
    WAITING,
    Answer,
    Expansion,
    HandlerScope,
    Scope,
    Skip,
    Step,
)
from flytenb.wording.quantities import duration_text
from flytenb.wording.text import class_name

# Looked up once: an attribute of an enumeration's class takes 0.3 µs in Python 3.11.
_BEGUN, _SUCCEEDED = Phase.RUNNING, Phase.SUCCEEDED
_BACKOFF = 0.1
_LONGEST_BACKOFF = 5.0
_PATIENCE = 5.0
"""Seconds after which a task that doesn't stop no longer keeps others from the state that it uses."""


class _Place:
    """The working directory that a worker was given, and whether its last task may have left it."""

    __slots__ = ("cwd", "may_have_moved")

    def __init__(self) -> None:
        self.cwd: str | None = None
        self.may_have_moved = False


class _Thread(threading.local):
    def __init__(self) -> None:
        self.place = _Place()


_thread = _Thread()


class Scheduler:
    """One run's state: which steps wait, which are ready, which failed.

    Attributes:
        journal: the records and events of the run.
        lock: the journal's: held while anything of the run changes; never while code of the user's runs.
        workspace: the run's directory and flytekit contexts.
        ending: what is done when the run is over.
        failure: why it failed, `also_failed` the failures beside the first.
        process: the process that the run belongs to.
    """

    def __init__(self, *, limit: int, listeners: Iterable[Listener] = ()) -> None:
        self.journal = Journal(listeners)
        self.lock = self.journal.lock
        self.workspace = Workspace()
        self.ending = Ending(self.journal, self.workspace)
        self.failure: Failure | None = None
        self.also_failed: tuple[Failure, ...] = ()
        self.process = os.getpid()
        self._queue = ReadyQueue(limit)
        self._admission = Admission(self.journal)
        self._root: Scope | None = None
        self._inside: Scope | None = None
        self._is_over = False
        self._context = contextvars.copy_context()
        self._cwd = current_cwd()

    # --- starting ----------------------------------------------------------------------------------------------

    def start(self, root: Scope, inside: Scope) -> None:
        """Begin with the steps that wait for nothing.

        Args:
            root: the scope of the run's closing step.
            inside: the scope of what runs.
        """
        during_runs.begin()
        capture.begin(is_replaced=exclusion.is_written("stdout"))
        with self.lock:
            self._root, self._inside = root, inside
            self.journal.set_phase(self.journal.run_record, Phase.RUNNING)
            self._put([*inside.first(), *(self._close(inside) if inside.open == 0 else ())])
        self._wind_up_if_over()

    def _put(self, ready: Iterable[Step]) -> None:
        """Let ready steps run. Under the lock."""
        self._queue.put(ready, self._work)

    # --- the loop of a worker ----------------------------------------------------------------------------------

    def _work(self, step: Step) -> None:
        """Run steps until none is ready: the first that a step readies runs next on the same thread."""
        capture.hold()  # also for a thread that its run no longer waits for: what it prints isn't the next cell's
        with self.lock:
            attempt = self._begin(step)
            following = (step, attempt) if attempt is not None else self._next_after(step, ())
        while following is not None:
            following = self._do(*following)
        capture.end()
        self._wind_up_if_over()

    def _begin(self, step: Step) -> Attempt | None:
        """Begin an attempt at a step, unless it was aborted or has to wait for what others use. Under the lock."""
        if step.state is not READY:
            return None
        attempt = Attempt()
        if step.checkpoints is not None:
            attempt.checkpoints = step.checkpoints
        admission = self._admission
        is_exclusive = step.state_use is not NOTHING or admission.alone is not None
        if is_exclusive and not admission.admit(step, attempt, self._put_back, self):
            return None
        step.state = RUNNING
        step.tries += 1
        step.attempt = attempt
        admission.running += step.holds_worker
        if step.is_opening:
            record = step.record
            record.attempts = step.tries
            if step.tries == 1:
                self.journal.set_phase(record, _BEGUN)
        timeout = step.timeout
        if timeout is not None:
            step.timer = resources.clock.call_later(timeout, lambda: self._time_out(step, attempt, timeout))
        return attempt

    def _put_back(self, step: Step) -> None:
        """Try again to begin a step that was set aside."""
        with self.lock:
            if step.state is READY and not self._is_over:
                self._put([step])
                return
        exclusion.forget(self, step.path, step.state_use)

    def hold_for(self, step: Step, use: StateUse) -> Hold:
        """Return a hold of state for a step that takes it itself."""
        return self._admission.hold_for(step, use, self)

    def _next_after(self, done: Step, ready: Sequence[Step]) -> tuple[Step, Attempt] | None:
        """Begin the next step of the worker that ran `done`. Under the lock."""
        following = self._queue.next_after(done, ready, self._work)
        while following is not None:
            attempt = self._begin(following)
            if attempt is not None:
                return following, attempt
            following = self._queue.next_after(following, (), self._work)
        return None

    def _do(self, step: Step, attempt: Attempt) -> tuple[Step, Attempt] | None:
        """Run one attempt and commit what comes of it; return what the thread does next."""
        # In a context of its own, so that what it sets there (the precision of decimals, say) ends with it.
        answer, error, words = self._context.copy().run(self._execute, step, attempt)
        if attempt.hold is not None:
            exclusion.release(attempt.hold)
        with self.lock:
            if step.attempt is not attempt:
                return None  # it was given up meanwhile, and another worker has taken the place of this one
            if error is None and answer is None:
                return self._next_after(step, self._settle(step))
            if error is None and answer is LATER:
                return self._next_after(step, ())
            return self._next_after(step, self._commit(step, answer, error, words))

    def _execute(self, step: Step, attempt: Attempt) -> tuple[Answer, BaseException | None, str]:
        """Run one attempt; return its answer, or what it raised and the words for that."""
        set_attempt(attempt)
        capture.set_sink(weakref.ref(step.record))
        restore = None
        try:
            place = _thread.place
            if HAS_OWN_CWD and (place.cwd != self._cwd or place.may_have_moved):
                go_to(self._cwd)
                place.cwd = self._cwd
            place.may_have_moved = step.may_move
            use = step.state_use
            if use is not NOTHING:
                restore = save_state(use.writes | use.reads & PRIVATE, use.assigned)
            return step.execute(self), None, ""
        except BaseException as e:
            # Its message is made by the user's code too.
            return None, e, "" if attempt.is_asked else describe(e)
        finally:
            if restore is not None:
                restore()

    def _commit(self, step: Step, answer: Answer, error: BaseException | None, words: str) -> list[Step]:
        """Take in what came of an attempt; return what that readies. Under the lock."""
        ready: list[Step] = []
        if isinstance(answer, Skip):
            ready = self._skip(answer.steps)
            step.state = DONE  # so that nothing is left for later
            self._abort_all(doomed_in(step))
            if answer.error is not None:
                error, words = answer.error, describe(answer.error)
        elif isinstance(answer, Expansion):
            step.opens = answer.scope
            ready = self._expand(step, answer)
        if error is None or ignores_outputs(error):
            return [*ready, *self._settle(step)]
        return [*ready, *self._handle_error(step, error, words)]

    def _settle(self, step: Step, phase: Phase = _SUCCEEDED) -> list[Step]:
        """Mark a step done and return what it readies. Under the lock."""
        self._end_attempt(step)
        step.state = DONE
        if step.is_closing:
            self.journal.set_phase(step.record, phase)
        scope = step.scope
        scope.open -= 1
        scope.note_done(step, self)
        ready = step.release()
        if step.opens is not None and step.opens.open == 0:
            ready += self._close(step.opens)
        if scope.open == 0:
            ready += self._close(scope)
        return ready

    def _end_attempt(self, step: Step) -> None:
        if step.attempt is not None:
            step.attempt = None
            again = self._admission.dismiss(step)
            if again:
                self._put(again)
        if step.timer is not None:
            resources.clock.cancel(step.timer)
            step.timer = None

    # --- what a running step adds, and what comes from elsewhere -----------------------------------------------

    def _expand(self, step: Step, expansion: Expansion) -> list[Step]:
        """Take in new steps; return those that wait for nothing. Under the lock."""
        self.journal.records.update(expansion.records)
        expansion.scope.attach()
        if expansion.graph is not None:
            self.journal.emit("spawn", step.record, graph=expansion.graph)
        if expansion.total is not None:
            step.record.total = expansion.total
            self.journal.emit("progress", step.record, done=0, total=expansion.total)
        return expansion.scope.first()

    def add(self, step: Step, attempt: Attempt, expansion: Expansion) -> bool:
        """Take in what a running step adds while it goes on; return whether it still does."""
        with self.lock:
            if step.attempt is not attempt or self._is_over:
                return False
            self._put(self._expand(step, expansion))
            if expansion.scope.open == 0:
                self._put(self._close(expansion.scope))
        return True

    def complete(self, step: Step, attempt: Attempt | None) -> None:
        """End an attempt whose end came from elsewhere: a gate's answer, the clock, a service."""
        with self.lock:
            if attempt is not None and step.attempt is attempt:
                self._put(self._settle(step))
        self._wind_up_if_over()

    def fail(self, step: Step, attempt: Attempt | None, error: BaseException) -> None:
        """Fail an attempt whose end came from elsewhere, on a thread that may take its time."""
        words = describe(error)
        with self.lock:
            if attempt is not None and step.attempt is attempt:
                self._put(self._handle_error(step, error, words))
        self._wind_up_if_over()

    # --- what goes wrong ---------------------------------------------------------------------------------------

    def _handle_error(self, step: Step, error: BaseException, words: str, phase: Phase = Phase.FAILED) -> list[Step]:
        """Try again or fail. Under the lock."""
        self._end_attempt(step)
        record = step.record
        retry = is_recoverable(error) or isinstance(error, WorkerLostError) or phase is Phase.TIMED_OUT
        if retry and step.tries <= step.retries:
            record.retries += (f"{class_name(error)}: {words}",)
            self.journal.emit("attempt", record, attempt=step.tries, text=record.retries[-1])
            step.state = WAITING
            pause = min(_BACKOFF * 2 ** (step.tries - 1), _LONGEST_BACKOFF)
            resources.clock.call_later(pause, lambda: self._try_again(step))
            return []
        failure = Failure(record.path, error, phase, words, record.retries, record.getters, self.workspace)
        return self._fail(step, failure, phase)

    def _try_again(self, step: Step) -> None:
        with self.lock:
            if step.state is WAITING and not self._is_over:
                self._put([step])

    def _fail(self, step: Step, failure: Failure, phase: Phase = Phase.FAILED) -> list[Step]:
        """Fail a step for good: its scope decides what that means for the others. Under the lock."""
        inside = step.closes
        if inside is not None and inside.handler is not None:
            # A workflow whose outputs can't be converted has failed like one whose nodes have: its handler comes first.
            inside.failures.append(failure)
            inside.is_closed = False
            step.state = WAITING
            return self._close(inside)
        step.record.error = failure
        self.journal.set_phase(step.record, phase, failure.message)
        step.state = DONE
        around = step.case_of
        while around is not None:  # a conditional fails with the case that it has taken
            around.record.error = failure
            self.journal.set_phase(around.record, Phase.FAILED, failure.message)
            around = around.case_of
        scope = step.scope
        scope.open -= 1
        if scope.tolerates(step, failure, self):
            ready = pass_over(step)
        else:
            ready = []
            scope.failures.append(failure)
            if scope.is_fail_fast:
                self._abort_all(unfinished(scope))
            else:
                self._abort_all(dependents(step))
        return [*ready, *self._close(scope)] if scope.open == 0 else ready

    def _abort_all(self, steps: Iterable[Step]) -> None:
        for step in steps:
            self._abort_step(step)

    def _abort_step(self, step: Step) -> None:
        step.state = DONE
        step.scope.open -= 1
        if step.state_use is not NOTHING:
            exclusion.forget(self, step.path, step.state_use)
        self._give_up(step)
        self.journal.set_phase(step.record, Phase.ABORTED)

    def _give_up(self, step: Step) -> None:
        """Stop waiting for an attempt, if one is going on: its thread is asked to stop, another takes its place."""
        attempt = step.attempt
        self._end_attempt(step)
        if attempt is None:
            return
        attempt.ask()
        hold = attempt.hold
        if hold is not None:
            resources.clock.call_later(_PATIENCE, lambda: exclusion.release(hold))
        if step.holds_worker:
            self._queue.replace_worker(self._work)
        step.on_abort()

    def _time_out(self, step: Step, attempt: Attempt, seconds: float) -> None:
        with self.lock:
            if step.attempt is not attempt:
                return
            self._give_up(step)
            words = f"node {step.path!r} took longer than its timeout of {duration_text(seconds)}"
            self._put(self._handle_error(step, NodeTimeoutError(words), words, Phase.TIMED_OUT))
        self._wind_up_if_over()

    def _skip(self, steps: Iterable[Step]) -> list[Step]:
        """Mark the steps of a case that isn't taken; return what they ready. Under the lock."""
        skipped = [s for s in steps if s.state is WAITING]
        for step in skipped:
            step.state = DONE
            self.journal.set_phase(step.record, Phase.SKIPPED)
        ready = []
        for step in skipped:
            step.scope.open -= 1
            ready += step.release()
        return ready

    # --- ending ------------------------------------------------------------------------------------------------

    def _close(self, scope: Scope) -> list[Step]:
        """Close a scope whose steps have all ended; return what that readies. Under the lock."""
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
            return self._close(scope.failed)
        if scope.parent is None:
            self.failure = scope.failures[0] if scope.failures else None
            if self._inside is not None:
                self.also_failed = tuple(self._inside.failures[1:])
            self._finish(Phase.FAILED if scope.failures else Phase.SUCCEEDED)
            return []
        closing = scope.closing
        if closing is None or closing.state is DONE:
            return []
        if scope.failures:
            return self._fail(closing, scope.failures[0])
        closing.waits -= 1
        return [closing] if closing.waits == 0 else []

    def cancel(self) -> None:
        """Give up: what waits is aborted, what runs is asked to stop, every phase is final at once."""
        with self.lock:
            if self._is_over or self._root is None:
                return
            self._is_over = True
            self._queue.clear()
            self._abort_all(unfinished(self._root))
            self._finish(Phase.ABORTED)
        self._wind_up_if_over()

    def _finish(self, phase: Phase) -> None:
        """End the run: nothing changes after this. Under the lock."""
        self._is_over = True
        for record in self.journal.records.values():
            # What was never reached: a failure handler that wasn't needed, nodes behind a failure.
            if record.phase is Phase.QUEUED:
                self.journal.set_phase(record, Phase.SKIPPED if phase is Phase.SUCCEEDED else Phase.ABORTED)
        self.journal.set_phase(self.journal.run_record, phase, self.failure.message if self.failure else "")

    def _wind_up_if_over(self) -> None:
        """Once the run has ended, let go of what it held. Without the lock."""
        if self._is_over and self.journal.run_record.ended is not None:
            self.ending.wind_up(self._root)
