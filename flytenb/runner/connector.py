"""Connector tasks: started on the connectors' event loop, without a worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from flytenb.bridge.execution.connector import Links, do_job, prepare_job
from flytenb.runner.record import Record
from flytenb.runner.resources import resources
from flytenb.runner.step import LATER, Answer, EntityStep, RunControl, Scope

_PATIENCE = 0.5
"""Seconds after which a loop that ignores a cancellation counts as blocked."""


class ConnectorStep(EntityStep):
    """Create a job, poll it, take its outputs; a cancelled or late job is deleted."""

    __slots__ = ("_cancel",)
    holds_worker = False

    def __init__(self, record: Record, scope: Scope) -> None:
        super().__init__(record, scope)
        self._cancel: Callable[[], Callable[[], None]] | None = None

    def execute(self, run: RunControl) -> Answer:
        attempt = self.attempt
        job = prepare_job(self.use.entity, self.take_inputs(run), run.workspace, self.path, self.tries)

        def on_end(task: asyncio.Task[Any]) -> None:
            if self.attempt is not attempt:  # it was cancelled, or its time was up
                return
            # A connector whose own request was cancelled raises this too.
            error = asyncio.CancelledError() if task.cancelled() else task.exception()
            if error is not None:
                resources.workers.submit(lambda: run.fail(self, attempt, error))
                return
            self.put_outputs(task.result())
            run.complete(self, attempt)

        def say(text: str, links: Links) -> None:
            if links:
                self.record.links = links
            run.journal.note(self.record, text)

        with run.lock:
            # If it was aborted during the preparation, no job must be created: none would be deleted.
            if attempt is not None and self.attempt is attempt:
                coroutine = do_job(job, say, resources.workers.submit)
                self._cancel = resources.connectors.start(coroutine, on_end)
        return LATER

    def on_abort(self) -> None:
        if self._cancel is not None:
            resources.clock.call_later(_PATIENCE, self._cancel())
            self._cancel = None
