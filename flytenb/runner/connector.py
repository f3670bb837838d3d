"""A task that a service does: started on the connectors' loop, waited for without a worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from flytenb.bridge.connectors import connector_loop, do_job, prepare_job
from flytenb.runner.steps import LATER, Getter, Record, Scope, Step

if TYPE_CHECKING:
    from flytenb.bridge.compiled import Policy
    from flytenb.runner.scheduler import Scheduler


class ConnectorStep(Step):
    """Ask the connector, poll it, take its outputs; a cancelled or late job is deleted."""

    __slots__ = ("_cancel", "entity", "getters", "policy", "slots")
    holds_worker = False

    def __init__(
        self,
        record: Record,
        scope: Scope,
        entity: Any,
        getters: Sequence[tuple[str, Getter]],
        slots: dict[str, int],
        policy: Policy,
    ) -> None:
        super().__init__(record, scope)
        self.entity = entity
        self.getters = getters
        self.slots = slots
        self.policy = policy
        self._cancel: Callable[[], None] | None = None

    @property
    def retries(self) -> int:
        return self.policy.retries

    @property
    def timeout(self) -> float | None:
        return self.policy.timeout

    def execute(self, scheduler: Scheduler) -> Any:
        scheduler.workspace.enter()
        inputs = {name: get(scheduler.env) for name, get in self.getters}
        job = prepare_job(self.entity, inputs, scheduler.workspace)
        attempt = self.attempt

        def on_end(task: asyncio.Task[Any]) -> None:
            if task.cancelled() or self.attempt != attempt:
                return
            error = task.exception()
            if error is not None:
                scheduler.fail_later(self, error)
                return
            for name, value in task.result().items():
                if name in self.slots:
                    scheduler.env[self.slots[name]] = value
            scheduler.complete(self)

        coroutine = do_job(job, scheduler.workspace, lambda text: scheduler.note(self.record, text))
        with scheduler.lock:
            self._cancel = connector_loop.start(coroutine, on_end)
        return LATER

    def on_abort(self) -> None:
        if self._cancel is not None:
            self._cancel()
            self._cancel = None
