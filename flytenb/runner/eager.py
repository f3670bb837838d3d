"""Eager tasks: the coroutine runs on a thread of its own, and each call that it makes is a node of the run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

from flytenb.bridge.context import Workspace
from flytenb.bridge.crossing import CrossingValue
from flytenb.bridge.entities.interface import inner_workflow, short_name
from flytenb.bridge.execution.calls import build_result
from flytenb.bridge.execution.eager import cause_of, eager_error, run_eager
from flytenb.bridge.execution.files import own_files, own_value
from flytenb.bridge.execution.packing import build_packing
from flytenb.bridge.stopping import NodeStopped, current_attempt, shielded
from flytenb.cache.task_cache import TaskCache
from flytenb.errors import FlytenbError, UsageError, headline
from flytenb.reach.earlier_definitions import check_current
from flytenb.reach.staleness import recompile_stale
from flytenb.reach.state_kinds import EVERYTHING, MAIN_THREAD
from flytenb.reach.state_uses import state_use_of
from flytenb.reach.working_directory import HAS_OWN_CWD
from flytenb.runner.eager_state import EagerState
from flytenb.runner.kept_code import KeptCode
from flytenb.runner.nesting import check_level
from flytenb.runner.record import Record
from flytenb.runner.step import EntityStep, Expansion, RunControl, Scope
from flytenb.runner.task import call_cached

BuildCall = Callable[[str, Any, dict[str, Any], Scope], Expansion]
"""Plans one call: its path, the entity, its inputs, its scope."""


class CallScope(Scope):
    """One call that an eager task made; its result or error is returned to the coroutine."""

    is_execution = True

    def __init__(self, path: str, parent: Scope, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(path, parent)
        self.loop = loop
        self.future: asyncio.Future[None] = loop.create_future()

    def note_closed(self) -> None:
        self._wake(lambda: self._settle(self.failures[0].exception if self.failures else None))

    def _settle(self, error: BaseException | None) -> None:
        if self.future.done():
            return
        if error is None:
            self.future.set_result(None)
        else:
            self.future.set_exception(error)

    def give_up(self) -> None:
        """Cancel the coroutine's wait for the call."""
        self._wake(self.future.cancel)

    def _wake(self, job: Any) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(job)


class EagerStep(EntityStep):
    """Run the coroutine; it isn't counted as a worker, since it waits for other nodes."""

    __slots__ = ("build", "cache", "calls", "code", "needs_main_thread", "own_state", "strict")
    holds_worker = False

    def __init__(
        self, record: Record, scope: Scope, build: BuildCall, code: KeptCode, cache: TaskCache | None, strict: bool
    ) -> None:
        super().__init__(record, scope)
        self.code = code
        self.build = build
        self.cache = cache
        self.strict = strict
        self.calls: list[CallScope] = []
        self.own_state: EagerState | None = None
        self.needs_main_thread = False

    def execute(self, run: RunControl) -> None:
        self.record.code = self.code.now()
        past = self.past_of(run)
        if past is not None:
            run.workspace.enter()
            kept = past.recall(self.record)
            if kept is not None:
                self.put_outputs(kept, run)
                run.journal.adopt(*past.inside(self.path), past.mark)
                return
        inputs = self.take_inputs(run)

        def call(workspace: Workspace, given: dict[str, Any]) -> dict[str, CrossingValue]:
            return self._run(run, given)

        if self.cache is None:
            with self.code.watch(self.record, inputs, is_wide=True):
                outputs = call(run.workspace, inputs)
        else:
            outputs = call_cached(self.cache, self.record, run, inputs, call)
        self.put_outputs(outputs, run)

    def _run(self, run: RunControl, inputs: dict[str, Any]) -> dict[str, CrossingValue]:
        own = own_files(self.use.entity.python_interface.inputs)
        if own is not None:
            own(run.workspace, inputs)

        async def add(entity: Any, call_inputs: dict[str, Any]) -> Any:
            check_current([entity], short_name(self.use.entity))
            if inner_workflow(entity) is not None:
                with shielded(), run.workspace.outside():
                    recompile_stale(entity)
            return await self._call(run, entity, call_inputs)

        error: BaseException | None = None
        self.own_state = state = self._begin_state(run)
        new_loop = None if state is None else state.new_loop
        try:
            result = run_eager(self.use.entity, inputs, run.workspace, add, new_loop)
        except Exception as e:
            error = self._explained(cause_of(e))
        finally:
            if state is not None:
                state.end()
        if error is not None:
            raise error  # outside of the `except`, which would replace its `__context__`
        run.workspace.enter_to_pack()
        return build_packing(self.use.entity, strict=self.strict)([result])

    def _begin_state(self, run: RunControl) -> EagerState | None:
        """Set up the process-wide state that the task's code uses, if any."""
        use, _ = state_use_of(self.use.entity, has_own_cwd=HAS_OWN_CWD, calls_run=False)
        name = short_name(self.use.entity)
        if EVERYTHING in use.writes:
            raise UsageError(
                f"the eager task {name!r} changes what all tasks share (a patch, an attribute of a module), which the "
                "tasks that it calls would see",
                hint="do that in a task, and call it from the eager task",
            )
        self.needs_main_thread = MAIN_THREAD in use.writes
        writes = use.writes - {MAIN_THREAD} | ({"environ"} if use.environment else frozenset())
        use = replace(use, reads=use.reads - writes, writes=writes, environment=use.environment)
        if not writes and not use.reads:
            return None
        attempt = current_attempt()
        attempt.hold = run.hold_for(self, use)
        state = EagerState(attempt.hold, attempt)
        state.begin()
        return state

    def _explained(self, error: BaseException) -> BaseException:
        """Add a hint to the error of an eager task that needs the main thread."""
        if not self.needs_main_thread or isinstance(error, FlytenbError):
            return error
        if not any(words in str(error) for words in ("main thread", "same thread")):
            return error
        made = UsageError(
            f"the eager task {short_name(self.use.entity)!r} needs the main thread, where no eager task runs: "
            f"{headline(error)}",
            hint="do that in a task, and call it from the eager task",
        )
        made.__cause__ = error
        return made

    async def _call(self, run: RunControl, entity: Any, inputs: dict[str, Any]) -> Any:
        # A task that is called without `await` gets here on a loop thread of flytekit's. Anything but an Exception or a
        # cancellation would end that thread, and with it every later call.
        try:
            with shielded():
                expansion, scope, record = self._plan(run, entity, inputs)
                attempt = self.attempt
                if attempt is None or not run.add(self, attempt, expansion):
                    raise asyncio.CancelledError
            async with self.own_state.aside() if self.own_state is not None else nullcontext():
                await scope.future
            with shielded(), run.workspace.entered():
                own = partial(own_value, run.workspace)
                return build_result(entity.python_interface, record.outputs, own)  # type: ignore[arg-type]
        except (asyncio.CancelledError, NodeStopped, GeneratorExit):
            raise
        except BaseException as e:
            raise eager_error(short_name(entity), e) from e

    def _plan(self, run: RunControl, entity: Any, inputs: dict[str, Any]) -> tuple[Expansion, CallScope, Record]:
        path = f"{self.path}/e{len(self.calls)}"
        scope = CallScope(path, self.scope, asyncio.get_running_loop())
        check_level(scope.level, self.path, run.journal.records, short_name(entity))
        self.calls.append(scope)
        with run.workspace.outside():
            expansion = self.build(path, entity, inputs, scope)
        return expansion, scope, expansion.records[path]

    def on_abort(self) -> None:
        for call in self.calls:
            call.give_up()
