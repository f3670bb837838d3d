"""An eager task: its coroutine runs apart, each call that it makes is a node in the same pool."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from flytenb.bridge.calls import build_result
from flytenb.bridge.compiled import task_policy
from flytenb.bridge.eagers import cause_of, eager_error, run_eager
from flytenb.bridge.entities import short_name
from flytenb.bridge.graphs.called import read_called
from flytenb.bridge.own_files import own_files, own_value
from flytenb.bridge.packing import build_packing
from flytenb.runner.steps import EntityStep, Scope, Step, Use

if TYPE_CHECKING:
    from flytenb.runner.failure import Failure
    from flytenb.runner.plan import Planner
    from flytenb.runner.scheduler import Scheduler


class CallScope(Scope):
    """One call that an eager task made: its end, good or bad, goes back into the coroutine."""

    def __init__(self, path: str, parent: Scope, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(path, parent)
        self.loop = loop
        self.future: asyncio.Future[None] = loop.create_future()
        self.last: Step | None = None

    def note_done(self, step: Step, scheduler: Scheduler) -> None:
        if step is self.last:
            self._wake(self._succeed)

    def tolerates(self, step: Step, failure: Failure, scheduler: Scheduler) -> bool:
        self._wake(lambda: self._fail(failure.exception))
        return True

    def _succeed(self) -> None:
        if not self.future.done():
            self.future.set_result(None)

    def _fail(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)

    def give_up(self) -> None:
        """Wake the coroutine: nothing will come."""
        self._wake(self.future.cancel)

    def _wake(self, job: Any) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(job)


class EagerStep(EntityStep):
    """Run the coroutine; it may wait for long, so it takes no worker from the nodes that it waits for."""

    __slots__ = ("calls", "planner")
    holds_worker = False

    def __init__(self, planner: Planner, use: Use) -> None:
        super().__init__(use)
        self.planner = planner
        self.calls: list[CallScope] = []

    def execute(self, scheduler: Scheduler) -> None:
        inputs = self.take_inputs(scheduler)
        own = own_files(self.use.entity.python_interface.inputs)
        if own is not None:
            own(scheduler.workspace, inputs)

        async def add(entity: Any, call_inputs: dict[str, Any]) -> Any:
            return await self._call(scheduler, entity, call_inputs)

        error: BaseException | None = None
        try:
            result = run_eager(self.use.entity, inputs, scheduler.workspace, add)
        except Exception as e:
            error = cause_of(e)
        if error is not None:
            raise error  # outside of the `except`, or it would get another context than the user gave it
        scheduler.workspace.enter_to_pack()
        outputs = build_packing(self.use.entity, strict=self.planner.settings.strict)([result])
        self.put_outputs(scheduler, outputs)

    async def _call(self, scheduler: Scheduler, entity: Any, inputs: dict[str, Any]) -> Any:
        planner = self.planner
        types = entity.python_interface.inputs
        with scheduler.workspace.outside(), scheduler.lock:
            path = f"{self.path}/e{len(self.calls)}"
            scope = CallScope(path, self.scope, asyncio.get_running_loop())
            self.calls.append(scope)
            getters = [(name, planner.given(value, types[name])) for name, value in inputs.items()]
            scheduler.spawn(self.record, read_called(entity, path))
            _, scope.last = planner.entity_steps(path, entity, getters, {}, task_policy(entity), scope)
            scheduler.grow(scope.steps)
        try:
            await scope.future
        except Exception as e:
            raise eager_error(short_name(entity), e) from e
        slots = planner.slots(path, entity.python_interface.outputs)
        values = {name: scheduler.env[slot] for name, slot in slots.items()}
        return build_result(entity.python_interface, values, partial(own_value, scheduler.workspace))  # type: ignore[arg-type]

    def on_abort(self) -> None:
        for call in self.calls:
            call.give_up()
