"""Walk the steps of a plan on the shared threads; every change of state is made here, under one lock, as an event.

The lock protects bookkeeping only. Steps run, values are converted, failures are read and listeners are called without
it; what comes of that is committed under it.
"""

from __future__ import annotations

import contextvars
import os
import threading
import weakref
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flytenb.bridge.context import Workspace
from flytenb.bridge.execution.calls import ignores_outputs, is_recoverable
from flytenb.bridge.patches import during_runs as run_replacements
from flytenb.bridge.stopping import Attempt, current_attempt, set_attempt
from flytenb.errors import NodeTimeoutError, WorkerLostError, headline
from flytenb.model import Phase
from flytenb.reach.state_uses import EVERYTHING, MAIN_THREAD, PRIVATE
from flytenb.runner import capture
from flytenb.runner.clock import clock
from flytenb.runner.event_log import EventLog, Listener, complain, name_of
from flytenb.runner.exclusion import Hold, exclusion
from flytenb.runner.failure import Failure, describe
from flytenb.runner.interrupts import Latch
from flytenb.runner.main_thread import main_thread
from flytenb.runner.process_state import HAS_OWN_CWD, current_cwd, go_to, save_state
from flytenb.runner.ready_queue import ReadyQueue
from flytenb.runner.steps import LATER, Answer, Expansion, HandlerScope, Scope, Skip, State, Step
from flytenb.runner.workers import workers
from flytenb.wording.text import class_name

if TYPE_CHECKING:
    from flytenb.runner.gate import GateStep

_BACKOFF = 0.1
_LONGEST_BACKOFF = 5.0
_PATIENCE = 5.0
"""Seconds after which a task that doesn't stop no longer keeps others from the state that it uses."""
_NEEDS_MAIN_THREAD = (
    "this task must run on the main thread (a signal handler, a database connection of a cell): it begins as soon as "
    "that waits for the run: run.wait() or `await run`; with processes=True each task has a main thread of its own"
)


class _Thread(threading.local):
    """The working directory that a worker was given, and whether its last task may have left it."""

    cwd: str | None = None
    may_have_moved = False


_thread = _Thread()


class Scheduler(EventLog):
    """One run's state: which steps wait, which are ready, which failed.

    Attributes:
        workspace: the run's directory and flytekit contexts.
        finished: set when the run is over.
        failure: why it failed, `also_failed` the failures beside the first.
        waiting_gates: steps that wait for an answer, by path.
        process: the process that the run belongs to.
    """

    def __init__(self, *, limit: int, listeners: Iterable[Listener] = (), strict: bool = False) -> None:
        super().__init__(listeners)
        self.workspace = Workspace()
        self.strict = strict
        self.finished = Latch()
        self.failure: Failure | None = None
        self.also_failed: tuple[Failure, ...] = ()
        self.waiting_gates: dict[str, GateStep] = {}
        self.process = os.getpid()
        self._queue = ReadyQueue(limit)
        self._root: Scope | None = None
        self._inside: Scope | None = None
        self._is_over = False
        self._is_wound_up = False
        self._jobs: list[Callable[[], Any]] = []
        self._context = contextvars.copy_context()
        self._around: Hold | None = current_attempt().hold
        self.cwd = current_cwd()
        self._running = 0
        self._alone: Step | None = None
        self._aside: list[Step] = []

    # --- starting ----------------------------------------------------------------------------------------------

    def start(self, root: Scope, inside: Scope) -> None:
        """Begin with the steps that wait for nothing.

        Args:
            root: the scope of the run's closing step.
            inside: the scope of what runs.
        """
        run_replacements.begin()
        capture.begin(is_replaced=exclusion.is_written("stdout"))
        with self.lock:
            self._root, self._inside = root, inside
            self.set_phase(self.run_record, Phase.RUNNING)
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
        if step.state is not State.READY:
            return None
        attempt = Attempt()
        if step.checkpoints is not None:
            attempt.checkpoints = step.checkpoints
        if (step.state_use or self._alone is not None) and not self._take_state(step, attempt):
            return None
        step.state = State.RUNNING
        step.tries += 1
        step.attempt = attempt
        self._running += step.holds_worker
        if step.is_opening:
            record = step.record
            record.attempts = step.tries
            if step.tries == 1:
                self.set_phase(record, Phase.RUNNING)
        timeout = step.timeout
        if timeout is not None:
            step.timer = clock.call_later(timeout, lambda: self._time_out(step, attempt, timeout))
        return attempt

    def _take_state(self, step: Step, attempt: Attempt) -> bool:
        """Let a step use its process-wide state, or set it aside until it can. Under the lock."""
        use = step.state_use
        blocked = ""
        if self._alone is not None:
            blocked = f"{self._alone.path}, which runs alone"
        elif EVERYTHING in use.writes and self._running:
            blocked = "the nodes that run, since it runs alone"
        if blocked:
            self._aside.append(step)
        elif use:
            hold = Hold(self, step.path, use, self._around)
            found = exclusion.take(hold, lambda: workers.submit(lambda: self._put_back(step)))
            if found is None:
                attempt.hold = hold
                self._alone = step if EVERYTHING in use.writes else None
                if MAIN_THREAD in use.writes:
                    attempt.remote_call = self._call_on_main_thread
            blocked = str(found or "")
        if blocked and blocked not in step.record.waited_for:
            step.record.waited_for += (blocked,)
            self.emit("wait", step.record, text=blocked)
        return not blocked

    def _put_back(self, step: Step) -> None:
        """Try again to begin a step that was set aside."""
        with self.lock:
            if step.state is State.READY and not self._is_over:
                self._put([step])

    def _call_on_main_thread(self, function: Callable[..., Any], inputs: dict[str, Any]) -> Any:
        if not main_thread.is_waiting:
            print(_NEEDS_MAIN_THREAD)  # noqa: T201 - into the node's own output
        return main_thread.call(function, inputs)

    def _next_after(self, done: Step, ready: Iterable[Step]) -> tuple[Step, Attempt] | None:
        """Begin the next step of the worker that ran `done`. Under the lock."""
        following = self._queue.next_after(done, list(ready), self._work)
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
            if answer is LATER and error is None:
                return self._next_after(step, ())
            return self._next_after(step, self._commit(step, answer, error, words))

    def _execute(self, step: Step, attempt: Attempt) -> tuple[Answer, BaseException | None, str]:
        """Run one attempt; return its answer, or what it raised and the words for that."""
        set_attempt(attempt)
        capture.set_sink(weakref.ref(step.record))
        restore = None
        try:
            if HAS_OWN_CWD and (_thread.cwd != self.cwd or _thread.may_have_moved):
                go_to(self.cwd)
                _thread.cwd = self.cwd
            _thread.may_have_moved = step.may_move
            if step.state_use:
                use = step.state_use
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
            self._abort_doomed(step)
            if answer.error is not None:
                error, words = answer.error, describe(answer.error)
        elif isinstance(answer, Expansion):
            step.opens = answer.scope
            ready = self._expand(step, answer)
        if error is None or ignores_outputs(error):
            return [*ready, *self._settle(step)]
        return [*ready, *self._handle_error(step, error, words)]

    def _settle(self, step: Step, phase: Phase = Phase.SUCCEEDED) -> list[Step]:
        """Mark a step done and return what it readies. Under the lock."""
        self._end_attempt(step)
        step.state = State.DONE
        if step.is_closing:
            self.set_phase(step.record, phase)
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
            self._running -= step.holds_worker
            if self._alone is step:
                self._alone = None
            if self._aside:
                aside, self._aside = self._aside, []
                self._put(s for s in aside if s.state is State.READY)
        step.attempt = None
        if step.timer is not None:
            clock.cancel(step.timer)
            step.timer = None

    # --- what a running step adds, and what comes from elsewhere -----------------------------------------------

    def _expand(self, step: Step, expansion: Expansion) -> list[Step]:
        """Take in new steps; return those that wait for nothing. Under the lock."""
        self.records.update(expansion.records)
        expansion.scope.attach()
        if expansion.graph is not None:
            self.emit("spawn", step.record, graph=expansion.graph)
        if expansion.total is not None:
            step.record.total = expansion.total
            self.emit("progress", step.record, done=0, total=expansion.total)
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
            self.emit("attempt", record, attempt=step.tries, text=record.retries[-1])
            step.state = State.WAITING
            pause = min(_BACKOFF * 2 ** (step.tries - 1), _LONGEST_BACKOFF)
            clock.call_later(pause, lambda: self._try_again(step))
            return []
        return self._fail(step, Failure.of(record, error, words, phase, self.workspace), phase)

    def _try_again(self, step: Step) -> None:
        with self.lock:
            if step.state is State.WAITING and not self._is_over:
                self._put([step])

    def _fail(self, step: Step, failure: Failure, phase: Phase = Phase.FAILED) -> list[Step]:
        """Fail a step for good: its scope decides what that means for the others. Under the lock."""
        inside = step.closes
        if inside is not None and inside.handler is not None:
            # A workflow whose outputs can't be converted has failed like one whose nodes have: its handler comes first.
            inside.failures.append(failure)
            inside.is_closed = False
            step.state = State.WAITING
            return self._close(inside)
        step.record.error = failure
        self.set_phase(step.record, phase, failure.message)
        step.state = State.DONE
        around = step.case_of
        while around is not None:  # a conditional fails with the case that it has taken
            around.record.error = failure
            self.set_phase(around.record, Phase.FAILED, failure.message)
            around = around.case_of
        scope = step.scope
        scope.open -= 1
        if scope.tolerates(step, failure, self):
            ready = self._pass_over(step)
        else:
            ready = []
            scope.failures.append(failure)
            if scope.is_fail_fast:
                self._abort(scope)
            else:
                self._abort_after(step)
        return [*ready, *self._close(scope)] if scope.open == 0 else ready

    def _pass_over(self, step: Step) -> list[Step]:
        """Go on after a failed step; the closing step of the same node is left out. Under the lock."""
        ready: list[Step] = []
        todo = [step]
        while todo:
            for following in todo.pop().successors:
                following.waits -= 1
                if following.record is step.record and following.state is State.WAITING:
                    following.state = State.DONE
                    following.scope.open -= 1
                    todo.append(following)
                elif following.waits == 0 and following.state is State.WAITING:
                    ready.append(following)
        return ready

    def _abort(self, scope: Scope) -> None:
        """Abort everything in a scope that hasn't ended, and in those inside of it. Under the lock."""
        for step in scope.steps:
            if step.state is not State.DONE:
                self._abort_step(step)
        for child in scope.children:
            child.is_closed = True
            self._abort(child)

    def _abort_after(self, step: Step) -> None:
        """Abort all that depends on a failed step, inside its scope. Under the lock."""
        todo = list(step.successors)
        while todo:
            following = todo.pop()
            if following.state is State.WAITING and following.scope is step.scope:
                case_of = following.case_of
                if case_of is not None and case_of is not step and case_of.state is not State.DONE:
                    following.is_doomed = True  # that matters only if its case is taken, and is settled then
                    continue
                self._abort_step(following)
                if following.opens is not None:
                    following.opens.is_closed = True
                    self._abort(following.opens)
                todo += following.successors

    def _abort_doomed(self, branch: Step) -> None:
        """Once a branch has decided, abort what of the taken case can't run. Under the lock."""
        branch.state = State.DONE  # so that nothing is left for later
        for step in list(branch.scope.steps):
            if step.is_doomed and step.case_of is branch and step.state is State.WAITING:
                self._abort_step(step)
                self._abort_after(step)

    def _abort_step(self, step: Step) -> None:
        step.state = State.DONE
        step.scope.open -= 1
        self.waiting_gates.pop(step.path, None)
        self._give_up(step)
        self.set_phase(step.record, Phase.ABORTED)

    def _give_up(self, step: Step) -> None:
        """Stop waiting for an attempt, if one is going on: its thread is asked to stop, another takes its place."""
        attempt = step.attempt
        self._end_attempt(step)
        if attempt is None:
            return
        attempt.ask()
        hold = attempt.hold
        if hold is not None:
            clock.call_later(_PATIENCE, lambda: exclusion.release(hold))
        if step.holds_worker:
            self._queue.replace_worker(self._work)
        step.on_abort()

    def _time_out(self, step: Step, attempt: Attempt, seconds: float) -> None:
        with self.lock:
            if step.attempt is not attempt:
                return
            self._give_up(step)
            words = f"node {step.path!r} took longer than its timeout of {seconds:g} s"
            self._put(self._handle_error(step, NodeTimeoutError(words), words, Phase.TIMED_OUT))
        self._wind_up_if_over()

    def _skip(self, steps: Iterable[Step]) -> list[Step]:
        """Mark the steps of a case that isn't taken; return what they ready. Under the lock."""
        skipped = [s for s in steps if s.state is State.WAITING]
        for step in skipped:
            step.state = State.DONE
            self.set_phase(step.record, Phase.SKIPPED)
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
        if closing is None or closing.state is State.DONE:
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
            self._abort(self._root)
            self._finish(Phase.ABORTED)
        self._wind_up_if_over()

    def _finish(self, phase: Phase) -> None:
        """End the run: nothing changes after this. Under the lock."""
        self._is_over = True
        for record in self.records.values():
            # What was never reached: a failure handler that wasn't needed, nodes behind a failure.
            if record.phase is Phase.QUEUED:
                self.set_phase(record, Phase.SKIPPED if phase is Phase.SUCCEEDED else Phase.ABORTED)
        self.set_phase(self.run_record, phase, self.failure.message if self.failure else "")

    def _wind_up_if_over(self) -> None:
        """Once the run has ended, let go of what it held and wake those who wait for it. Without the lock."""
        if not self._is_over or not self.run_record.phase.is_terminal:
            return
        with self.lock:
            if self._is_wound_up:
                return
            self._is_wound_up = True
        capture.end()
        run_replacements.end()
        if self.run_record.phase is Phase.ABORTED:
            workers.submit(self.workspace.close)  # the one who cancels doesn't wait for a large directory
        else:
            self.workspace.close()
        with self.lock:
            jobs, self._jobs = self._jobs, []
            if self._root is not None:
                self._root.let_go()
            if jobs:
                workers.submit(lambda: _call_all(jobs))
            workers.release()
            self.finished.set()

    def on_finish(self, job: Callable[[], Any]) -> None:
        """Call `job` when the run is over, at once if it is."""
        with self.lock:
            if not self.finished.is_set():
                self._jobs.append(job)
                return
        job()


def _call_all(jobs: Iterable[Callable[[], Any]]) -> None:
    """Call what was to be done at the end of a run; one that raises is reported, and the others are called."""
    for job in jobs:
        try:
            job()
        except BaseException as e:
            complain(f"a job for the end of a run, {name_of(job)}, raised {headline(e)}")
