"""Connector tasks: started on the connectors' event loop, without a worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from flytenb.bridge.execution.connector import Links, digest_template, do_job, prepare_job
from flytenb.bridge.stopping import current_attempt
from flytenb.runner.kept_code import KeptCode, sent_by
from flytenb.runner.record import Record
from flytenb.runner.resources import resources
from flytenb.runner.step import LATER, Answer, EntityStep, RunControl, Scope
from flytenb.runner.task import call_cached

if TYPE_CHECKING:
    from flytenb.bridge.context import Workspace
    from flytenb.bridge.crossing import CrossingValue
    from flytenb.bridge.stopping import Attempt
    from flytenb.cache.task_cache import TaskCache

    Outputs = dict[str, CrossingValue]

_PATIENCE = 0.5
"""Seconds after which a loop that ignores a cancellation counts as blocked."""
_CHANGED = (
    "the job changed what the connector or the task reaches, so no later call takes its outputs from the cache: keep "
    "jobs at the service, not in a variable that the connector reads\n"
)


class ConnectorStep(EntityStep):
    """Create a job, poll it, take its outputs; a cancelled or late job is deleted.

    The thread of a cached task waits for the job, as equal calls wait for it.
    """

    __slots__ = ("_cancel", "_job", "cache", "code")
    holds_worker = False

    def __init__(self, record: Record, scope: Scope, code: KeptCode, cache: TaskCache | None) -> None:
        super().__init__(record, scope)
        self.code = code
        self.cache = cache
        self._cancel: Callable[[], Callable[[], None]] | None = None
        self._job: Future[Outputs] | None = None

    def execute(self, run: RunControl) -> Answer:
        inputs, cache = self.take_inputs(run), self.cache
        template = partial(digest_template, self.use.entity, run.workspace)
        self.record.code, self.record.sent = self.code.now(), sent_by(template)
        past = self.past_of(run)
        if past is not None and (kept := past.recall(self.record)) is not None:
            self.put_outputs(kept, run)
            return None
        if cache is None:
            self.record.reads = None
            self._start(run, inputs, partial(self._end, run, current_attempt()))
            return LATER

        call = partial(self._call, run, cache)
        self.put_outputs(call_cached(cache, self.record, run, inputs, call, template=template), run)
        return None

    def _call(self, run: RunControl, cache: TaskCache, _: Workspace, inputs: dict[str, Any]) -> Outputs:
        """Wait for a job and return the outputs that the task declares; say if it changed what is part of its key."""
        before = _code_of(cache)
        outputs = self._start(run, inputs).result()
        if _code_of(cache) != before:
            run.journal.note(self.record, _CHANGED)
        return {name: outputs[name] for name in self.use.entity.python_interface.outputs}

    def _end(self, run: RunControl, attempt: Attempt, job: Future[Outputs]) -> None:
        """End the attempt of a job, on the connectors' loop."""
        error = job.exception()
        if error is not None:
            resources.workers.submit(lambda: run.fail(self, attempt, error))
            return
        self.put_outputs(job.result(), run)
        run.complete(self, attempt)

    def _start(
        self, run: RunControl, inputs: dict[str, Any], then: Callable[[Future[Outputs]], None] | None = None
    ) -> Future[Outputs]:
        """Start a job and return its outputs to come, which are cancelled when the attempt is aborted.

        `then` is called with them when the job has ended. They don't keep it: it holds the run and the step, which
        holds them.
        """
        attempt = current_attempt()  # a thread may still be at an attempt that has timed out
        prepared = prepare_job(self.use.entity, inputs, run.workspace, self.path, self.tries)
        job: Future[Outputs] = Future()

        def on_end(task: asyncio.Task[Any]) -> None:
            if not job.set_running_or_notify_cancel():
                return
            # A connector whose own request was cancelled raises this too.
            error = asyncio.CancelledError() if task.cancelled() else task.exception()
            if error is not None:
                job.set_exception(error)
            else:
                job.set_result(task.result())
            if then is not None:
                then(job)

        def say(text: str, links: Links) -> None:
            if links:
                self.record.links = links
            run.journal.note(self.record, text)

        with run.lock:
            # If it was aborted during the preparation, no job must be created: none would be deleted.
            if self.attempt is not attempt:
                job.cancel()
                return job
            self._job = job
            self._cancel = resources.connectors.start(do_job(prepared, say, resources.workers.submit), on_end)
        return job

    def on_abort(self) -> None:
        if self._job is not None and self._cancel is not None:
            self._job.cancel()
            resources.clock.call_later(_PATIENCE, self._cancel())
            self._job = self._cancel = None


def _code_of(cache: TaskCache) -> bytes | None:
    """Return the digest of the code of a task and its connector, None if it can't be read."""
    with suppress(Exception):
        return cache.code()
    return None
