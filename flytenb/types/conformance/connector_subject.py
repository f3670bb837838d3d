"""The subject of a connector's checks: its methods, called as the connector service calls them, with a time limit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from typing import Any

from flytenb.bridge.context import Workspace
from flytenb.bridge.execution import connector_facts as facts
from flytenb.bridge.execution.connector import Asking, expect_resource, phase_name, prepare_job, store_meta
from flytenb.bridge.execution.connector_loop import ConnectorLoop
from flytenb.errors import is_foreign, is_library
from flytenb.locks import cached_property
from flytenb.runner.resources import resources
from flytenb.types.conformance.subject import BrokenError, NotCheckedError
from flytenb.wording.quantities import duration_text

_PAUSES = (0.02, 0.5)
_GRACE = 0.5
"""Seconds after which a loop that ignores a cancellation counts as blocked."""


class HangError(BrokenError):
    """A call that doesn't return."""


@dataclass(frozen=True)
class ConnectorSubject:
    """A connector under test.

    Attributes:
        connector: the connector.
        task: a task that it runs.
        inputs: inputs with which the job succeeds.
        failing: inputs with which the job fails, if there are any.
        patience: seconds to wait for the end of a job.
        workspace: directories and contexts of the calls.
        loop: the event loop of the calls.
        took: the longest duration of a call of each method.
        hanging: the methods that didn't return; they aren't called again.
    """

    connector: Any
    task: Any
    inputs: Mapping[str, Any]
    failing: Mapping[str, Any] | None
    patience: float
    workspace: Workspace
    loop: ConnectorLoop
    took: dict[str, float] = field(default_factory=dict)
    hanging: set[str] = field(default_factory=set)

    def call(
        self,
        method: str,
        *,
        by: Any = None,
        inputs: Mapping[str, Any] | None = None,
        job: bytes | None = None,
    ) -> Any:
        """Call a method as the service does: by keywords, awaited or on a thread, in a context of its own.

        The metadata of a job is decoded and encoded on the event loop, as there.
        """
        connector = by or self.connector
        prepared = prepare_job(self.task, inputs or {}, self.workspace, connector=connector)
        arguments: dict[str, Any] = {}
        if method in ("create", "do"):
            arguments = {
                "task_template": prepared.template,
                "inputs": prepared.inputs,
                "output_prefix": prepared.output_prefix,
            }
        if method == "create":
            arguments["task_execution_metadata"] = prepared.execution

        async def ask() -> Any:
            if job is not None:
                arguments["resource_meta"] = connector.metadata_type.decode(job)
            answer = await Asking(prepared, resources.workers.submit)(getattr(connector, method), **arguments)
            return store_meta(connector, answer) if method == "create" else answer

        begin = time.monotonic()
        try:
            return self.wait_for(method, ask())
        finally:
            self.took[method] = max(self.took.get(method, 0.0), time.monotonic() - begin)

    def wait_for(self, method: str, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Return what a coroutine returns that calls a method.

        Raises:
            HangError: if it takes too long; the event loop is replaced if it is blocked.
            NotCheckedError: if the method has been called before, and took too long.
        """
        if method in self.hanging:
            coroutine.close()
            raise NotCheckedError(f"{method} doesn't return")
        ended: Future[asyncio.Task[Any]] = Future()
        cancel = self.loop.start(coroutine, ended.set_result)
        if wait([ended], self.patience).done:
            return ended.result().result()
        self.hanging.add(method)
        give_up = cancel()
        wait([ended], _GRACE)
        place = "" if ended.done() else _place(self.loop)
        give_up()
        blocked = f": it blocks the event loop in {place}" if place else ""
        raise HangError(
            f"{method} didn't return within {duration_text(self.patience)}{blocked}",
            "await asyncio.to_thread(…), use an async client, or define the method without async"
            if blocked
            else "return at once: the job runs elsewhere",
        )

    def create(self, inputs: Mapping[str, Any]) -> bytes:
        """Create a job and return its metadata as a cluster keeps it."""
        made: bytes = self.call("create", inputs=inputs)
        return made

    def create_another(self, inputs: Mapping[str, Any]) -> bytes:
        """Create one more job; NotCheckedError if the first one couldn't be created."""
        if isinstance(self.stored, Exception):
            raise NotCheckedError("no job can be created")
        return self.create(inputs)

    def get(self, stored: bytes, *, by: Any = None) -> Any:
        """Return the state of a job."""
        return expect_resource(self.connector, "get", self.call("get", by=by, job=stored))

    def delete(self, stored: bytes) -> None:
        """Delete a job."""
        self.call("delete", job=stored)

    def follow(self, stored: bytes) -> Any:
        """Ask until a job has ended, and return its last state."""
        end = time.monotonic() + self.patience
        pause, longest = _PAUSES
        while True:
            resource = self.get(stored)
            if facts.has_ended(resource):
                return resource
            if time.monotonic() > end:
                raise BrokenError(
                    f"the job was {phase_name(resource.phase)} for {duration_text(self.patience)}",
                    "return a phase that ends: SUCCEEDED, FAILED, RETRYABLE_FAILED or ABORTED; or pass patience=…",
                )
            time.sleep(pause)
            pause = min(pause * 2, longest)

    @cached_property
    def stored(self) -> bytes | Exception:
        """The metadata of a job with the inputs that succeed, or the exception that creating it raised."""
        made: bytes | Exception = _attempt(lambda: self.create(self.inputs))
        return made

    @cached_property
    def ended(self) -> Any:
        """The last state of that job, or the exception that asking for it raised."""
        if facts.is_sync(self.connector):
            return _attempt(lambda: expect_resource(self.connector, "do", self.call("do", inputs=self.inputs)))
        return _attempt(lambda: self.follow(self.made))

    @property
    def made(self) -> bytes:
        """The metadata of the job."""
        if isinstance(self.stored, Exception):
            raise NotCheckedError("no job can be created")
        return self.stored

    @property
    def done(self) -> Any:
        """The last state of the job that succeeds."""
        if isinstance(self.ended, Exception) or not facts.has_succeeded(self.ended):
            raise NotCheckedError("no job succeeds")
        return self.ended


def _place(loop: ConnectorLoop) -> str:
    """Return the line of own code that a loop's thread executes, empty if it waits."""
    for frame in loop.frames():
        code = frame.f_code
        if not is_foreign(code.co_filename) and not is_library(code.co_filename):
            return f"{code.co_name}, line {frame.f_lineno} of {code.co_filename}"
    return ""


def _attempt(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:
        return error
