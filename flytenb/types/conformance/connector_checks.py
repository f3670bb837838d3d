"""The checks of a connector: it is called as the connector service of a cluster calls it.

The rules are those of flytekit's `connector_service.py` and of propeller's plugin
(`flyteplugins/go/tasks/plugins/webapi/connector`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flytenb.bridge.execution import connector_facts as facts
from flytenb.bridge.execution.connector import expect_resource, links_of, phase_name
from flytenb.errors import FlytenbError, headline
from flytenb.types.conformance.blocking_calls import find_blocking_calls
from flytenb.types.conformance.connector_subject import ConnectorSubject, HangError
from flytenb.types.conformance.subject import BrokenError, NotCheckedError
from flytenb.wording.quantities import count_text, duration_text
from flytenb.wording.text import class_name
from flytenb.wording.values import brief

_LIMIT = 10.0
"""Seconds that propeller waits for one call (`defaultTimeout`)."""


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
    if isinstance(subject.ended, HangError):  # which `get` reports
        raise NotCheckedError(str(subject.ended))
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
        problems = subject.wait_for("the conversion of the outputs", facts.find_untyped(subject.task, resource))
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
        except (HangError, NotCheckedError):
            raise
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
    except (HangError, NotCheckedError):
        raise
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
