"""The scheduler: runs the steps of a plan on the shared threads; every change of state is made here, as an event.

The lock protects bookkeeping only. Steps run, values are converted, failures are read and listeners are called without
it; the results are committed under it.
"""

from __future__ import annotations

import contextvars
import os
import threading
import weakref
from collections.abc import Iterable, Sequence

from flytenb.bridge.context import Workspace
from flytenb.bridge.execution.calls import ignores_outputs
from flytenb.bridge.patches import during_runs
from flytenb.bridge.stopping import Attempt, set_attempt
from flytenb.errors import NodeTimeoutError
from flytenb.model import Phase
from flytenb.reach.moment import end_moment
from flytenb.reach.process_state import save_state
from flytenb.reach.state_uses import NOTHING, StateUse
from flytenb.reach.working_directory import HAS_OWN_CWD, Place, current_place, move_to
from flytenb.runner.admission import Admission
from flytenb.runner.capture import set_sink
from flytenb.runner.ending import Ending
from flytenb.runner.exclusion import Hold
from flytenb.runner.failure import Failure, describe
from flytenb.runner.journal import Journal, Listener
from flytenb.runner.nesting import set_level
from flytenb.runner.outcomes import Outcomes
from flytenb.runner.past import Past
from flytenb.runner.propagation import doomed_in, unfinished
from flytenb.runner.ready_queue import ReadyQueue
from flytenb.runner.resources import resources
from flytenb.runner.shared_nodes import SweepRow
from flytenb.runner.step import DONE, LATER, READY, RUNNING, WAITING, Answer, Expansion, Scope, Skip, Step
from flytenb.wording.quantities import duration_text

_BEGUN = Phase.RUNNING  # looked up once: an attribute of an enumeration's class takes 0.3 µs in Python 3.11
_PATIENCE = 5.0
"""Seconds after which a task that ignores a request to stop loses its hold of process-wide state."""


class _Place:
    """The working directory and umask set for a worker, and whether its last task may have changed them."""

    __slots__ = ("may_have_moved", "start")

    def __init__(self) -> None:
        self.start: Place | None = None
        self.may_have_moved = False


class _Thread(threading.local):
    def __init__(self) -> None:
        self.place = _Place()


_thread = _Thread()


class Scheduler:
    """The steps of one run and their state.

    Attributes:
        journal: the records and events of the run.
        lock: the lock of the journal; held while the state of the run changes, never while a user's code runs.
        workspace: the run's directory and flytekit contexts.
        ending: the end of the run.
        outcomes: the ends of the steps, and the failures.
        process: the id of the run's process.
        past, row: what the run takes from an earlier one, and what it shares with the others of a sweep.
    """

    def __init__(
        self, *, limit: int, listeners: Iterable[Listener] = (), past: Past | None = None, row: SweepRow | None = None
    ) -> None:
        self.past, self.row = past, row
        self.journal = Journal(listeners)
        self.lock = self.journal.lock
        self.workspace = Workspace()
        self.ending = Ending(self.journal, self.workspace)
        self.outcomes = Outcomes(self.journal, self.workspace)
        self.process = os.getpid()
        self._queue = ReadyQueue(limit)
        self._admission = Admission(self.journal)
        self._context = contextvars.copy_context()
        self._start = current_place()

    # --- starting ----------------------------------------------------------------------------------------------

    def start(self, root: Scope, inside: Scope) -> None:
        """Start the steps that wait for nothing.

        Args:
            root: the scope of the run's closing step.
            inside: the scope of all other steps.
        """
        during_runs.begin()
        resources.codes.end_moment()
        resources.printing.begin(is_replaced=resources.exclusion.is_written("stdout"))
        with self.lock:
            self.outcomes.root, self.outcomes.inside = root, inside
            self.journal.set_phase(self.journal.run_record, Phase.RUNNING)
            self._put([*inside.first(), *(self.outcomes.close(inside, self) if inside.open == 0 else ())])
        self._wind_up_if_over()

    def _put(self, ready: Iterable[Step]) -> None:
        """Let ready steps run. Under the lock."""
        end_moment()
        self._queue.put(ready, self._work)

    # --- the loop of a worker ----------------------------------------------------------------------------------

    def _work(self, step: Step) -> None:
        """Run steps until none is ready; the first step that becomes ready when one ends runs next on this thread."""
        resources.printing.hold()  # also for a thread of an ended run, which must not print into the next cell
        with self.lock:
            attempt = self._begin(step)
            following = (step, attempt) if attempt is not None else self._next_after(step, ())
        while following is not None:
            following = self._do(*following)
        resources.printing.end()
        self._wind_up_if_over()

    def _begin(self, step: Step) -> Attempt | None:
        """Begin an attempt at a step, unless it was aborted or must wait for state of others. Under the lock."""
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
            else:
                record.decks = ()
        timeout = step.timeout
        if timeout is not None:
            step.timer = resources.clock.call_later(timeout, lambda: self._time_out(step, attempt, timeout))
        return attempt

    def _put_back(self, step: Step) -> None:
        """Retry to begin a step that was set aside."""
        with self.lock:
            if step.state is READY and not self.outcomes.is_over:
                self._put([step])
                return
        resources.exclusion.forget(self, step.path, step.state_use)

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
        """Run one attempt and commit its result; return the next attempt of the thread."""
        # In a copied context, so that what the task sets there (such as the precision of decimals) ends with it.
        answer, error, words = self._context.copy().run(self._execute, step, attempt)
        if not attempt.is_quiet:
            end_moment()
            if step.may_move or step.state_use is not NOTHING:
                resources.codes.end_moment()
        if attempt.hold is not None:
            resources.exclusion.release(attempt.hold)
            attempt.hold = None  # it holds the run, and the thread its last attempt
        with self.lock:
            if step.attempt is not attempt:
                return None  # it was abandoned meanwhile, and another worker has replaced this one
            if error is None and answer is None:
                return self._next_after(step, self.outcomes.settle(step, self))
            if error is None and answer is LATER:
                return self._next_after(step, ())
            return self._next_after(step, self._commit(step, answer, error, words))

    def _execute(self, step: Step, attempt: Attempt) -> tuple[Answer, BaseException | None, str]:
        """Run one attempt; return its answer, or its exception and the message."""
        set_attempt(attempt)
        set_sink(weakref.ref(step.record))
        set_level(step.scope.level)
        restore = None
        try:
            place = _thread.place
            if HAS_OWN_CWD and (place.start != self._start or place.may_have_moved):
                move_to(self._start)
                place.start = self._start
            place.may_have_moved = step.may_move
            use = step.state_use
            if use.saved or use.assigned or use.of_threads:
                restore = save_state(use.saved, use.assigned, use.of_threads)
            return step.execute(self), None, ""
        except BaseException as e:
            # The message may be made by a user's `__str__`.
            return None, e, "" if attempt.is_asked else describe(e)
        finally:
            if restore is not None:
                restore()

    def _commit(self, step: Step, answer: Answer, error: BaseException | None, words: str) -> list[Step]:
        """Commit the result of an attempt; return the steps that it readies. Under the lock."""
        ready: list[Step] = []
        outcomes = self.outcomes
        if isinstance(answer, Skip):
            ready = outcomes.skip(answer.steps)
            step.state = DONE  # so that no later step is only marked as doomed
            outcomes.abort(doomed_in(step), self)
            if answer.error is not None:
                error, words = answer.error, describe(answer.error)
        elif isinstance(answer, Expansion):
            step.opens = answer.scope
            ready = self._expand(step, answer)
        if error is None or ignores_outputs(error):
            return [*ready, *outcomes.settle(step, self)]
        return [*ready, *outcomes.handle_error(step, error, words, self)]

    def end_attempt(self, step: Step) -> None:
        """End the current attempt of a step, if any. Under the lock."""
        attempt = step.attempt
        if attempt is not None:
            step.attempt = None
            if attempt.decks:
                step.record.decks = attempt.decks
            again = self._admission.dismiss(step)
            if again:
                self._put(again)
        if step.timer is not None:
            resources.clock.cancel(step.timer)
            step.timer = None

    # --- expansions, and ends of attempts outside of a worker ---------------------------------------------------

    def _expand(self, step: Step, expansion: Expansion) -> list[Step]:
        """Add new steps; return those that wait for nothing. Under the lock."""
        self.journal.records.update(expansion.records)
        expansion.scope.attach()
        if expansion.graph is not None:
            self.journal.emit("spawn", step.record, graph=expansion.graph)
        if expansion.total is not None:
            step.record.total = expansion.total
            self.journal.emit_progress(step.record)
        return expansion.scope.first()

    def add(self, step: Step, attempt: Attempt, expansion: Expansion) -> bool:
        """Add an expansion while its step continues; return whether it still does."""
        with self.lock:
            if step.attempt is not attempt or self.outcomes.is_over:
                return False
            self._put(self._expand(step, expansion))
            if expansion.scope.open == 0:
                self._put(self.outcomes.close(expansion.scope, self))
        return True

    def complete(self, step: Step, attempt: Attempt | None) -> None:
        """End an attempt that answered `LATER`: by a gate's answer, the clock or a service."""
        with self.lock:
            if attempt is not None and step.attempt is attempt:
                self._put(self.outcomes.settle(step, self))
        self._wind_up_if_over()

    def fail(self, step: Step, attempt: Attempt | None, error: BaseException) -> None:
        """Fail an attempt that answered `LATER`, on a thread that may block."""
        words = describe(error)
        with self.lock:
            if attempt is not None and step.attempt is attempt:
                self._put(self.outcomes.handle_error(step, error, words, self))
        self._wind_up_if_over()

    def fail_with(self, step: Step, attempt: Attempt | None, failure: Failure) -> None:
        """Fail an attempt that answered `LATER`, without a retry."""
        with self.lock:
            if attempt is not None and step.attempt is attempt:
                self._put(self.outcomes.fail(step, failure, self))
        self._wind_up_if_over()

    def retry_later(self, step: Step, pause: float) -> None:
        """Begin another attempt at a step after a pause in seconds. Under the lock."""
        resources.clock.call_later(pause, lambda: self._try_again(step))

    def _try_again(self, step: Step) -> None:
        with self.lock:
            if step.state is WAITING and not self.outcomes.is_over:
                self._put([step])

    def abandon(self, step: Step) -> None:
        """End the current attempt, request its stop, and let another worker replace its own. Under the lock."""
        attempt = step.attempt
        self.end_attempt(step)
        if attempt is None:
            return
        attempt.ask()
        hold = attempt.hold
        if hold is not None:
            resources.clock.call_later(_PATIENCE, lambda: resources.exclusion.release(hold))
        if step.holds_worker:
            self._queue.replace_worker(self._work)
        step.on_abort()

    def _time_out(self, step: Step, attempt: Attempt, seconds: float) -> None:
        with self.lock:
            if step.attempt is not attempt:
                return
            self.abandon(step)
            words = f"{step.record.entity_name} took longer than its timeout of {duration_text(seconds)}"
            self._put(self.outcomes.handle_error(step, NodeTimeoutError(words), words, self, Phase.TIMED_OUT))
        self._wind_up_if_over()

    # --- ending ------------------------------------------------------------------------------------------------

    def cancel(self) -> None:
        """Cancel the run: abort waiting steps and request the stop of running ones; all phases are final at once."""
        with self.lock:
            root = self.outcomes.root
            if self.outcomes.is_over or root is None:
                return
            self.outcomes.is_over = True
            self._queue.clear()
            self.outcomes.abort(unfinished(root), self)
            self.outcomes.finish(Phase.ABORTED)
        self._wind_up_if_over()

    def _wind_up_if_over(self) -> None:
        """Release the run's resources if it has ended. Without the lock."""
        if self.outcomes.is_over and self.journal.run_record.ended is not None:
            with self.lock:
                self.past = self.row = None  # which hold all runs before it, and the values of a sweep's other runs
            self.ending.wind_up(self.outcomes.root)
