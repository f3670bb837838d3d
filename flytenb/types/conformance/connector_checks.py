"""The checks of a connector: it is called as the connector service of a cluster calls it.

The rules are those of flytekit's `connector_service.py` and of propeller's plugin
(`flyteplugins/go/tasks/plugins/webapi/connector`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from flytenb.bridge.context import Workspace
from flytenb.bridge.execution import connector_facts as facts
from flytenb.bridge.execution.connector import Asking, expect_resource, links_of, phase_name, prepare_job, store_meta
from flytenb.errors import FlytenbError, headline
from flytenb.runner.resources import resources
from flytenb.types.conformance.blocking_calls import find_blocking_calls
from flytenb.types.conformance.subject import BrokenError, NotCheckedError
from flytenb.wording.quantities import count_text, duration_text
from flytenb.wording.text import class_name
from flytenb.wording.values import brief

_LIMIT = 10.0
"""Seconds that propeller waits for one call (`defaultTimeout`)."""
_PAUSES = (0.02, 0.5)


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
        runner: the event loop of the calls.
        took: the longest duration of a call of each method.
    """

    connector: Any
    task: Any
    inputs: Mapping[str, Any]
    failing: Mapping[str, Any] | None
    patience: float
    workspace: Workspace
    runner: asyncio.Runner
    took: dict[str, float] = field(default_factory=dict)

    def call(self, method: str, *, by: Any = None, inputs: Mapping[str, Any] | None = None, **arguments: Any) -> Any:
        """Call a method as the service does: by keywords, awaited or on a thread, in a context of its own."""
        connector = by or self.connector
        job = prepare_job(self.task, inputs or {}, self.workspace, connector=connector)
        if method in ("create", "do"):
            arguments = {"task_template": job.template, "inputs": job.inputs, "output_prefix": job.output_prefix}
        if method == "create":
            arguments["task_execution_metadata"] = job.execution
        asked = Asking(job, resources.workers.submit)(getattr(connector, method), **arguments)
        begin = time.monotonic()
        try:
            return self.runner.run(asyncio.wait_for(asked, self.patience))
        except TimeoutError:
            raise BrokenError(
                f"{method} didn't return within {duration_text(self.patience)}",
                "return at once: the job runs elsewhere",
            ) from None
        finally:
            self.took[method] = max(self.took.get(method, 0.0), time.monotonic() - begin)

    def create(self, inputs: Mapping[str, Any]) -> bytes:
        """Create a job and return its metadata as a cluster keeps it."""
        return store_meta(self.connector, self.call("create", inputs=inputs))

    def create_another(self, inputs: Mapping[str, Any]) -> bytes:
        """Create one more job; NotCheckedError if the first one couldn't be created."""
        if isinstance(self.stored, Exception):
            raise NotCheckedError("no job can be created")
        return self.create(inputs)

    def get(self, stored: bytes, *, by: Any = None) -> Any:
        """Return the state of a job."""
        meta = self.connector.metadata_type.decode(stored)
        return expect_resource(self.connector, "get", self.call("get", by=by, resource_meta=meta))

    def delete(self, stored: bytes) -> None:
        """Delete a job."""
        self.call("delete", resource_meta=self.connector.metadata_type.decode(stored))

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


def _attempt(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:
        return error


# --- registration and calls -------------------------------------------------------------------------------------------


def _is_found(subject: ConnectorSubject) -> str:
    task, name = subject.task, class_name(subject.connector)
    found = facts.registered_for(task)
    if type(found) is not type(subject.connector):
        other = "no connector" if found is None else f"a {class_name(found)}"
        raise BrokenError(
            f"{other} is registered for {task.task_type!r}, version {task.task_type_version}",
            f"ConnectorRegistry.register({name}()), with the task_type_name and version of the task",
        )
    return f"{name} is registered for {task.task_type!r}"


def _creates(subject: ConnectorSubject) -> str:
    _raise(subject.stored, "create takes task_template, inputs, output_prefix and task_execution_metadata by name")
    meta = subject.connector.metadata_type.decode(subject.made)
    if not isinstance(meta, subject.connector.metadata_type):
        raise BrokenError(f"decode returned {brief(meta)}", "decode must return the metadata_type of the connector")
    return f"{brief(meta)}, {count_text(len(subject.made), 'byte')}"


def _answers(subject: ConnectorSubject) -> str:
    _raise(subject.ended, "do takes task_template, inputs and output_prefix by name, and returns a Resource")
    return _succeeds(subject)


def _survives_restart(subject: ConnectorSubject) -> str:
    stored, fresh = subject.made, facts.fresh_copy(subject.connector)
    if fresh is None:
        raise NotCheckedError("its class needs arguments")
    try:
        subject.get(stored, by=fresh)
    except Exception as error:
        raise BrokenError(
            f"get of a new {class_name(fresh)} raised {headline(error)}",
            "put all that get and delete need into the metadata: the service restarts, and has several processes",
        ) from error
    return "a new connector finds the job by its metadata"


def _succeeds(subject: ConnectorSubject) -> str:
    _raise(subject.ended, "get takes resource_meta by name, and returns a Resource")
    resource = subject.ended
    if not facts.has_succeeded(resource):
        why = f"the job is {phase_name(resource.phase)}: {resource.message or 'no message'}"
        raise BrokenError(why, "pass inputs with which it succeeds, or return TaskExecution.SUCCEEDED")
    return phase_name(resource.phase) + (f": {resource.message}" if resource.message else "")


def _says_the_same(subject: ConnectorSubject) -> str:
    first, again = subject.done, subject.get(subject.made)
    if first.phase != again.phase:
        raise BrokenError(
            f"the job is {phase_name(first.phase)}, then {phase_name(again.phase)}",
            "get must not change or forget a job: a cluster may ask again after its end",
        )
    return f"{phase_name(again.phase)} again"


def _has_typed_outputs(subject: ConnectorSubject) -> str:
    resource = subject.done
    with subject.workspace.entered():
        problems = subject.runner.run(facts.find_untyped(subject.task, resource))
    if problems:
        raise BrokenError(
            "; ".join(f"output {name!r} {why}" for name, why in problems.items()),
            "return each declared output with a value of exactly its type, or a LiteralMap",
        )
    if resource.outputs is None and subject.task.interface.outputs:
        raise NotCheckedError("the job itself writes its outputs to outputs.pb")
    return ", ".join(subject.task.interface.outputs) or "it has no outputs"


def _has_sound_links(subject: ConnectorSubject) -> str:
    links = links_of(subject.done)
    wrong = [f"{name!r}: {uri!r}" for name, uri in links if not name or not uri.startswith(("https://", "http://"))]
    if wrong:
        raise BrokenError(", ".join(wrong), "TaskLog(name='…', uri='https://…'): the console shows the name as a link")
    return ", ".join(name for name, _ in links) or "it has no links"


# --- endings ----------------------------------------------------------------------------------------------------------


def _deletes_what_has_ended(subject: ConnectorSubject) -> str:
    if isinstance(subject.ended, Exception):
        raise NotCheckedError("no job ends")
    for time_ in ("once", "twice"):
        try:
            subject.delete(subject.made)
        except Exception as error:
            raise BrokenError(
                f"delete raised {headline(error)} when it was called {time_}",
                "delete must accept a job that has ended or is gone: propeller calls it again",
            ) from error
    return "called twice"


def _cancels(subject: ConnectorSubject) -> str:
    stored = subject.create_another(subject.inputs)
    subject.delete(stored)
    runs_on = False
    try:
        resource = subject.get(stored)
        runs_on = not facts.has_ended(resource)
        resource = subject.follow(stored) if runs_on else resource
    except BrokenError:
        raise BrokenError("the job runs on after delete", "delete must stop the job") from None
    except Exception as error:
        return f"the job is gone: {headline(error)}"
    if not facts.has_succeeded(resource):
        return f"the job is {phase_name(resource.phase)}"
    if runs_on:
        raise BrokenError("the job runs on after delete, and succeeds", "delete must stop the job")
    raise NotCheckedError("the job may have succeeded before delete: pass inputs with which it runs for longer")


def _fails(subject: ConnectorSubject) -> str:
    if subject.failing is None:
        raise NotCheckedError("pass failing={…}, inputs with which the job fails")
    try:
        if facts.is_sync(subject.connector):
            resource = expect_resource(subject.connector, "do", subject.call("do", inputs=subject.failing))
        else:
            resource = subject.follow(subject.create_another(subject.failing))
    except (BrokenError, FlytenbError, NotCheckedError):
        raise
    except Exception as error:
        return f"it raised {headline(error)}"
    if not facts.has_failed(resource):
        raise BrokenError(
            f"the job is {phase_name(resource.phase)}",
            "return FAILED, or RETRYABLE_FAILED if another attempt may succeed; or pass inputs with which it fails",
        )
    if not resource.message:
        raise BrokenError(
            f"the job is {phase_name(resource.phase)}, without a message", "pass message=… to Resource: users see it"
        )
    return f"{phase_name(resource.phase)}: {resource.message}"


# --- calls ------------------------------------------------------------------------------------------------------------


def _answers_in_time(subject: ConnectorSubject) -> str:
    late = {method: seconds for method, seconds in subject.took.items() if seconds > _LIMIT}
    if late:
        raise BrokenError(
            ", ".join(f"{method} took {duration_text(seconds)}" for method, seconds in late.items()),
            f"propeller waits {duration_text(_LIMIT)} for a call: start the work in create, and ask for it in get",
        )
    return ", ".join(f"{method} {duration_text(seconds)}" for method, seconds in subject.took.items())


def _blocks_nothing(subject: ConnectorSubject) -> str:
    methods = ("do",) if facts.is_sync(subject.connector) else ("create", "get", "delete")
    found = {name: find_blocking_calls(getattr(type(subject.connector), name)) for name in methods}
    wrong = [f"{name} calls {', '.join(calls)}" for name, calls in found.items() if calls]
    if wrong:
        raise BrokenError(
            "; ".join(wrong), "await asyncio.to_thread(…), use an async client, or define the method without async"
        )
    return "no blocking call is seen in its async methods"


def _raise(found: Any, fix: str) -> None:
    if isinstance(found, BrokenError | NotCheckedError):
        raise found
    if isinstance(found, FlytenbError):
        raise BrokenError(found.message, found.hint or fix) from found
    if isinstance(found, Exception):
        raise BrokenError(f"it raised {headline(found)}", fix) from found


Checks = tuple[tuple[str, Callable[[ConnectorSubject], str]], ...]

_LAST: Checks = (
    ("outputs have their types", _has_typed_outputs),
    ("links", _has_sound_links),
    ("a job that fails", _fails),
    ("calls answer in time", _answers_in_time),
    ("async methods don't block", _blocks_nothing),
)
SYNC_CHECKS: Checks = (("it is registered", _is_found), ("do", _answers), *_LAST)
ASYNC_CHECKS: Checks = (
    ("it is registered", _is_found),
    ("create", _creates),
    ("the metadata is enough", _survives_restart),
    ("get", _succeeds),
    ("get, again", _says_the_same),
    ("delete after the end", _deletes_what_has_ended),
    ("delete while it runs", _cancels),
    *_LAST,
)
