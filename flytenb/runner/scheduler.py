"""Walk the steps of a plan on the shared threads; every change of state happens here, under one lock, as an event.

What a step does is its own; what a listener makes of an event is the listener's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from flytenb.bridge.calls import ignores_outputs, is_recoverable
from flytenb.bridge.context import Workspace
from flytenb.errors import NodeTimeoutError, WorkerLostError, say
from flytenb.model import Phase
from flytenb.runner import capture
from flytenb.runner.failure import Failure
from flytenb.runner.interrupts import Latch
from flytenb.runner.journal import Journal, Listener
from flytenb.runner.pool import ask_to_stop, clock, withdraw, workers
from flytenb.runner.steps import LATER, Env, Scope, State, Step
from flytenb.runner.turns import Turns

_BACKOFF = 0.1
_LONGEST_BACKOFF = 5.0


class Scheduler(Journal):
    """One run's state: which steps wait, which are ready, who is told.

    Attributes:
        env: the values that nodes produced, by slot.
        workspace: the run's directory and flytekit contexts.
        finished: set when the run is over.
        failure: why it failed, `also_failed` the failures beside the first.
        waiting_gates: steps that wait for an answer, by path.
        on_finish: what to call when it is over.
    """

    def __init__(self, *, limit: int, listeners: Iterable[Listener] = (), strict: bool = False) -> None:
        super().__init__(listeners)
        self.env: Env = []
        self.workspace = Workspace()
        self.strict = strict
        self.finished = Latch()
        self.failure: Failure | None = None
        self.also_failed: list[Failure] = []
        self.waiting_gates: dict[str, Step] = {}
        self.on_finish: list[Callable[[], Any]] = []
        self._turns = Turns(limit)
        self._root: Scope | None = None
        self._is_ending = False

    # --- starting and growing ----------------------------------------------------------------------------------

    def start(self, root: Scope) -> None:
        """Begin with the steps that wait for nothing."""
        self._root = root
        with self.lock:
            self.set_phase(self.run_record, Phase.RUNNING)
            if not root.steps:
                self._finish(Phase.SUCCEEDED)
                return
            ready = [s for s in root.steps if s.waits == 0 and s.state is State.WAITING]
            self._dispatch(ready)

    def grow(self, steps: Sequence[Step]) -> None:
        """Take in steps that a running step has just made."""
        with self.lock:
            if self._is_ending:
                return
            self._dispatch([s for s in steps if s.waits == 0 and s.state is State.WAITING])

    def _dispatch(self, ready: Iterable[Step]) -> None:
        """Let ready steps be done. Under the lock."""
        self._turns.give(ready, self._work)

    # --- the loop of a worker ----------------------------------------------------------------------------------

    def _work(self, step: Step | None) -> None:
        """Do steps until none is ready: what a step readies first goes on here, without a hand-over."""
        while step is not None:
            step = self._do(step)

    def _do(self, step: Step) -> Step | None:
        record = step.record
        with self.lock:
            if step.state is not State.READY:
                return self._turns.after(step, (), self._work)
            step.state = State.RUNNING
            step.attempt += 1
            attempt = step.attempt
            step.thread = threading.get_ident()
            if step.is_opening:
                record.attempts = attempt
                if attempt == 1:
                    self.set_phase(record, Phase.RUNNING)
            timeout = step.timeout
            if timeout is not None:
                step.timer = clock.call_later(timeout, lambda: self._time_out(step, attempt, timeout))
        capture.set_sink(self.sink_of(record))
        error: BaseException | None = None
        answer = None
        try:
            answer = step.execute(self)
        except BaseException as e:
            error = e
        finally:
            capture.set_sink(None)
        with self.lock:
            if step.thread is None or step.attempt != attempt or step.state is not State.RUNNING:
                # Somebody gave this attempt up meanwhile and freed its worker: what came of it is dropped.
                withdraw(threading.get_ident())
                return None
            step.thread = None
            if answer is LATER and error is None:
                return self._turns.after(step, (), self._work)
            self._stop_timer(step)
            ready = self._settle(step) if error is None or ignores_outputs(error) else self._handle_error(step, error)
            return self._turns.after(step, ready, self._work)

    def _settle(self, step: Step, phase: Phase = Phase.SUCCEEDED) -> list[Step]:
        """Mark a step done and return what it readies. Under the lock."""
        step.state = State.DONE
        if step.is_closing:
            self.set_phase(step.record, phase)
        step.scope.open -= 1
        step.scope.note_done(step, self)
        ready = step.release()
        if step.scope.open == 0:
            ready += self._close(step.scope)
        return ready

    def complete(self, step: Step, phase: Phase = Phase.SUCCEEDED) -> None:
        """End a step whose end came from elsewhere (a gate's answer, the clock)."""
        with self.lock:
            if step.state is State.RUNNING and not self._is_ending:
                self._dispatch(self._settle(step, phase))

    def fail_later(self, step: Step, error: BaseException) -> None:
        """Fail a step whose end came from elsewhere."""
        with self.lock:
            if step.state is State.RUNNING and not self._is_ending:
                self._dispatch(self._handle_error(step, error))

    # --- what goes wrong ---------------------------------------------------------------------------------------

    def _handle_error(self, step: Step, error: BaseException, phase: Phase = Phase.FAILED) -> list[Step]:
        """Try again or fail. Under the lock."""
        retry = is_recoverable(error) or isinstance(error, WorkerLostError) or phase is Phase.TIMED_OUT
        if retry and step.attempt <= step.retries:
            step.record.retries += (f"{type(error).__name__}: {say(error)}",)
            self.emit("attempt", step.record, attempt=step.attempt, text=step.record.retries[-1])
            step.state = State.WAITING
            pause = min(_BACKOFF * 2 ** (step.attempt - 1), _LONGEST_BACKOFF)
            clock.call_later(pause, lambda: self._try_again(step))
            return []
        failure = Failure.read(step, error, phase, self.env)
        return self._fail(step, failure, phase)

    def _try_again(self, step: Step) -> None:
        with self.lock:
            if step.state is State.WAITING and not self._is_ending:
                self._dispatch([step])

    def _fail(self, step: Step, failure: Failure, phase: Phase = Phase.FAILED) -> list[Step]:
        """Fail a step for good: its scope decides what that means for the others. Under the lock."""
        step.record.error = failure
        self.set_phase(step.record, phase, failure.message)
        step.state = State.DONE
        scope = step.scope
        scope.open -= 1
        if scope.tolerates(step, failure, self):
            return step.release()
        scope.failures.append(failure)
        if scope.is_fail_fast:
            self._abort(scope)
        else:
            self._abort_after(step)
        return self._close(scope) if scope.open == 0 else []

    def _abort(self, scope: Scope) -> None:
        """Give up everything in a scope that hasn't ended. Under the lock."""
        for step in scope.steps:
            if step.state is not State.DONE:
                self._abort_step(step)
        for child in scope.children:
            self._abort(child)

    def _abort_after(self, step: Step) -> None:
        """Give up all that depends on a failed step, inside its scope."""
        todo = list(step.successors)
        while todo:
            following = todo.pop()
            if following.state is State.WAITING and following.scope is step.scope:
                self._abort_step(following)
                todo += following.successors

    def _abort_step(self, step: Step) -> None:
        was_running = step.state is State.RUNNING
        step.state = State.DONE
        step.scope.open -= 1
        self.waiting_gates.pop(step.path, None)
        self._stop_timer(step)
        if was_running and step.thread is not None:
            ask_to_stop(step.thread)
            step.thread = None
            if step.holds_worker:
                self._turns.replace(self._work)
        self.set_phase(step.record, Phase.ABORTED)
        step.on_abort()

    def _stop_timer(self, step: Step) -> None:
        if step.timer is not None:
            clock.cancel(step.timer)
            step.timer = None

    def _time_out(self, step: Step, attempt: int, seconds: float) -> None:
        with self.lock:
            if step.state is not State.RUNNING or step.attempt != attempt or self._is_ending:
                return
            step.timer = None
            if step.thread is not None:
                ask_to_stop(step.thread)
                step.thread = None
                if step.holds_worker:
                    self._turns.replace(self._work)
            step.on_abort()
            error = NodeTimeoutError(f"node {step.path!r} took longer than its timeout of {seconds:g} s")
            self._dispatch(self._handle_error(step, error, Phase.TIMED_OUT))

    def _close(self, scope: Scope) -> list[Step]:
        """All steps of a scope have ended: run its failure handler, tell the scope around it. Under the lock."""
        if scope.is_closed:
            return []
        if scope.failures and scope.handler is not None:
            handler, scope.handler = scope.handler, None
            return [s for s in handler(scope.failures[0]) if s.waits == 0]
        scope.is_closed = True
        if not scope.failures:
            if scope.parent is None:
                self._finish(Phase.SUCCEEDED)
            return []
        failure = scope.failures[0]
        if scope.parent is None or scope.closing is None:
            self.failure, self.also_failed = failure, scope.failures[1:]
            self._finish(Phase.FAILED)
            return []
        if scope.closing.state is State.DONE:
            return []
        return self._fail(scope.closing, failure)

    def resume_close(self, scope: Scope) -> None:
        """Go on closing a failed scope whose handler has ended. Under the lock."""
        self._dispatch(self._close(scope))

    # --- ending ------------------------------------------------------------------------------------------------

    def cancel(self) -> None:
        """Give up: what waits is aborted, what runs is asked to stop, the picture is true at once."""
        with self.lock:
            if self._is_ending or self._root is None:
                return
            self._is_ending = True
            self._root.is_closed = True
            self._abort(self._root)
            self._turns.clear()
            self._is_ending = False
            self._finish(Phase.ABORTED)

    def _finish(self, phase: Phase) -> None:
        if self._is_ending:
            return
        self._is_ending = True
        for record in self.records.values():
            # What was never reached: a failure handler that wasn't needed, nodes behind a failure.
            if record.phase is Phase.QUEUED:
                self.set_phase(record, Phase.SKIPPED if phase is Phase.SUCCEEDED else Phase.ABORTED)
        self.set_phase(self.run_record, phase, self.failure.message if self.failure else "")
        for job in self.on_finish:
            job()
        self.workspace.close()
        if self._root is not None:
            self._root.let_go()
        workers.release()
        self.finished.set()

    def skip(self, steps: Iterable[Step]) -> list[Step]:
        """Mark steps of a way not taken; return what they ready. Under the lock."""
        skipped = [s for s in steps if s.state is State.WAITING]
        for step in skipped:
            step.state = State.DONE
            self.set_phase(step.record, Phase.SKIPPED)
        ready = []
        for step in skipped:
            step.scope.open -= 1
            ready += step.release()
        return ready
