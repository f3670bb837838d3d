"""A task that a service does: started on the connectors' loop, waited for without a worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flytenb.bridge.connectors import connector_loop, do_job, prepare_job
from flytenb.runner.steps import LATER, EntityStep, Use

if TYPE_CHECKING:
    from flytenb.runner.scheduler import Scheduler


class ConnectorStep(EntityStep):
    """Ask the connector, poll it, take its outputs; a cancelled or late job is deleted."""

    __slots__ = ("_cancel",)
    holds_worker = False

    def __init__(self, use: Use) -> None:
        super().__init__(use)
        self._cancel: Callable[[], None] | None = None

    def execute(self, scheduler: Scheduler) -> Any:
        inputs = self.take_inputs(scheduler)
        job = prepare_job(self.use.entity, inputs, scheduler.workspace)
        attempt = self.attempt

        def on_end(task: asyncio.Task[Any]) -> None:
            if task.cancelled() or self.attempt != attempt:
                return
            error = task.exception()
            if error is not None:
                scheduler.fail_later(self, error)
                return
            self.put_outputs(scheduler, task.result())
            scheduler.complete(self)

        coroutine = do_job(job, scheduler.workspace, lambda text: scheduler.note(self.record, text))
        with scheduler.lock:
            self._cancel = connector_loop.start(coroutine, on_end)
        return LATER

    def on_abort(self) -> None:
        if self._cancel is not None:
            self._cancel()
            self._cancel = None
