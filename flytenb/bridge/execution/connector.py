"""Connector tasks, run here on an event loop of their own: created, polled, deleted when they are cancelled.

flytekit's own local run can't run in a kernel (its loop is the kernel's), blocks while it sleeps, ignores timeouts and
interrupts, and converts literals a second time.
"""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Thread
from typing import Any
from uuid import uuid4

from flyteidl.admin import agent_pb2 as admin
from flyteidl.core.execution_pb2 import TaskExecution
from flytekit.core import utils
from flytekit.core.context_manager import ExecutionState, flyte_context_Var
from flytekit.core.python_function_task import PythonFunctionTask
from flytekit.exceptions.user import FlyteRecoverableException, FlyteUserException
from flytekit.extend.backend.base_connector import ConnectorRegistry, Resource, SyncConnectorBase
from flytekit.extend.backend.utils import is_terminal_phase, render_task_template
from flytekit.models.literals import LiteralMap
from flytekit.models.task import TaskExecutionMetadata
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct

from flytenb.bridge.context import Workspace
from flytenb.bridge.crossing import CrossingValue
from flytenb.bridge.entities.kind import CONNECTOR_TASKS
from flytenb.bridge.execution.connector_facts import registered_for
from flytenb.bridge.execution.connector_outputs import read_outputs
from flytenb.bridge.execution.coroutines import run_coroutine
from flytenb.bridge.execution.task_template import input_literals, name_execution, read_template, write_template
from flytenb.errors import FlytenbError, headline
from flytenb.wording.text import class_name, clean
from flytenb.wording.values import brief

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0

Links = tuple[tuple[str, str], ...]
"""Names and addresses of what a service shows of a job."""
Say = Callable[[str, Links], None]
Submit = Callable[[Callable[[], None]], None]
"""Runs a function on a thread that may be blocked for any time."""


def is_connector_task(task: Any) -> bool:
    """Tell whether a connector can run this task: its `execute` is flytekit's, or its type has a connector."""
    return isinstance(task, CONNECTOR_TASKS) and (not has_own_execute(task) or registered_for(task) is not None)


def has_own_execute(task: Any) -> bool:
    """Tell whether a task decides itself between its function and its connector, as those of Spark and Slurm do."""
    return all(type(task).execute is not mixin.execute for mixin in CONNECTOR_TASKS)


@dataclass(frozen=True, slots=True)
class Job:
    """A prepared task for a connector."""

    workspace: Workspace
    task: Any
    connector: Any
    template: Any
    inputs: LiteralMap
    output_prefix: str
    execution: TaskExecutionMetadata


def prepare_job(
    task: Any,
    inputs: Mapping[str, Any],
    workspace: Workspace,
    node: str = "n0",
    attempt: int = 1,
    connector: Any = None,
) -> Job:
    """Serialise the task, find its connector, convert its inputs to literals.

    Args:
        task: the task.
        inputs: its inputs.
        workspace: the workspace of the run.
        node: the path of the node.
        attempt: the number of the attempt, from 1.
        connector: the connector; by default the one that is registered for the task's type.

    Raises:
        Exception: flytekit's own, if there is no connector for the task's type.
    """
    context = workspace.enter()
    template = read_template(task, workspace)
    if connector is None:
        connector = ConnectorRegistry.get_connector(template.type, template.task_type_version)
    literals = input_literals(task, inputs)
    prefix = context.file_access.get_random_remote_directory()
    if isinstance(task, PythonFunctionTask):
        # A job that runs the function itself reads its inputs from a file, as on a cluster.
        state = workspace.context(ExecutionState.Mode.TASK_EXECUTION)
        workspace.enter(state)
        path = context.file_access.get_random_local_path()
        utils.write_proto_to_file(literals.to_flyte_idl(), path)
        context.file_access.put_data(path, f"{prefix}/inputs.pb")
        template = render_task_template(template, prefix)
    execution = name_execution(template, workspace.root.name, node, attempt)
    return Job(workspace, task, connector, template, literals, prefix, execution)


def digest_template(task: Any, workspace: Workspace) -> str:
    """Return the digest of what a connector gets to know of a task, besides its retries, timeout and cache."""
    template = write_template(task, workspace).to_flyte_idl()
    template.ClearField("metadata")
    return hashlib.blake2b(template.SerializeToString(deterministic=True), digest_size=16).hexdigest()


async def do_job(job: Job, say: Say, submit: Submit) -> dict[str, CrossingValue]:
    """Run a job to its end and return its outputs; delete it at the service if this is cancelled.

    Args:
        job: the job.
        say: called with the messages of the service and the links to what it shows.
        submit: runs a blocking method of the connector on a thread.

    Raises:
        FlyteUserException: if the service reports a failure.
        FlyteRecoverableException: if it reports a failure that may be retried.
        FlytenbError: if the connector doesn't return what a cluster expects.
    """
    job.workspace.enter()
    ask = Asking(job, submit)
    arguments = {"task_template": job.template, "inputs": job.inputs, "output_prefix": job.output_prefix}
    if isinstance(job.connector, SyncConnectorBase):
        resource = expect_resource(job.connector, "do", await ask(job.connector.do, **arguments))
        links = links_of(resource)
        if links or resource.custom_info:
            say(_phase_text(resource), links)
    else:
        resource = await _poll(job, ask, {**arguments, "task_execution_metadata": job.execution}, say)
    if resource.phase != TaskExecution.SUCCEEDED:
        kind = FlyteRecoverableException if resource.phase == TaskExecution.RETRYABLE_FAILED else FlyteUserException
        why = resource.message or f"the phase is {phase_name(resource.phase)}, without a message"
        raise kind(f"Failed to run the task {job.task.name} with error: {why}")
    outputs: dict[str, CrossingValue] = await ask(
        read_outputs, task=job.task, connector=job.connector, prefix=job.output_prefix, outputs=resource.outputs
    )
    return outputs


def run_job(task: Any, inputs: Mapping[str, Any], workspace: Workspace) -> Any:
    """Run a job to its end on this thread, for a task's own `execute`; return what its function would.

    Raises:
        Exception: as `prepare_job` and `do_job`.
    """
    token = flyte_context_Var.set(flyte_context_Var.get())
    try:
        job = prepare_job(task, inputs, workspace, node=uuid4().hex[:8])
        outputs = run_coroutine(do_job, {"job": job, "say": _print_message, "submit": _start_thread})
        values = tuple(outputs[name].native() for name in task.python_interface.outputs)
    finally:
        flyte_context_Var.reset(token)
    return values[0] if len(values) == 1 else values or None


def _print_message(text: str, links: Links) -> None:
    print(text, *(f"{name}: {address}" for name, address in links), sep="\n")  # noqa: T201 - the node's log


def _start_thread(work: Callable[[], None]) -> None:
    Thread(target=work, daemon=True).start()


@dataclass(frozen=True, slots=True)
class Asking:
    """Call a connector's method: awaited on the loop if it is async, else on a thread, so that the loop isn't blocked.

    The loop's own executor isn't used: methods that never return would take all its threads, and Python waits for them
    at its end.
    """

    job: Job
    submit: Submit

    async def __call__(self, method: Callable[..., Any], **arguments: Any) -> Any:
        if inspect.iscoroutinefunction(method):
            return await method(**arguments)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        context = contextvars.copy_context()

        def settle(value: Any, error: BaseException | None) -> None:
            if answer.done():
                return
            if error is None:
                answer.set_result(value)
            else:
                answer.set_exception(error)

        def call() -> Any:
            self.job.workspace.enter()
            return method(**arguments)

        def work() -> None:
            value: Any = None
            error: BaseException | None = None
            try:
                value = context.run(call)
            except StopIteration as e:  # a future doesn't accept it
                error = RuntimeError(f"{method.__qualname__} raised {e!r}")
            except BaseException as e:
                error = e
            loop.call_soon_threadsafe(settle, value, error)

        self.submit(work)
        return await answer


async def _poll(job: Job, ask: Asking, arguments: Mapping[str, Any], say: Say) -> Any:
    creating = asyncio.ensure_future(ask(job.connector.create, **arguments))
    try:
        made = await asyncio.shield(creating)
    except asyncio.CancelledError:
        # A job that is being created can only be deleted once it exists.
        await _delete(job, ask, await creating, say)
        raise
    try:
        stored = store_meta(job.connector, made)
        pause, last = _FIRST_PAUSE, ""
        while True:
            answer = await ask(job.connector.get, resource_meta=job.connector.metadata_type.decode(stored))
            resource = expect_resource(job.connector, "get", answer)
            message = _phase_text(resource)
            if message != last:
                say(message, links_of(resource))
                last = message
            if is_terminal_phase(resource.phase):
                return resource
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
    except BaseException:
        # Cancelled, timed out, or failed to poll: as on a cluster, the job must not run on.
        await _delete(job, ask, made, say)
        raise


def store_meta(connector: Any, meta: Any) -> bytes:
    """Return the metadata of a job as a cluster keeps it between two calls of the connector.

    Raises:
        FlytenbError: if it isn't metadata, or can't be encoded and decoded.
    """
    name = class_name(connector)
    if not callable(getattr(meta, "encode", None)):
        raise FlytenbError(f"{name}.create must return a ResourceMeta, got {brief(meta)}")
    try:
        stored: bytes = meta.encode()
        connector.metadata_type.decode(stored)
    except Exception as error:
        raise FlytenbError(
            f"the metadata that {name}.create returned can't be encoded and decoded: {headline(error)}",
            hint="a cluster keeps it as bytes: use fields of str, int, float and bool, or define encode and decode",
        ) from error
    return stored


def expect_resource(connector: Any, method: str, found: Any) -> Any:
    """Return what a method returned if it is a Resource that a cluster accepts; else raise FlytenbError."""
    name = f"{class_name(connector)}.{method}"
    if not isinstance(found, Resource):
        raise FlytenbError(f"{name} must return a Resource, got {brief(found)}", hint="return Resource(phase=…)")
    if found.phase not in TaskExecution.Phase.values() or found.phase == TaskExecution.UNDEFINED:
        raise FlytenbError(
            f"{name} must return a phase of flyteidl's TaskExecution, got {brief(found.phase)}",
            hint="TaskExecution.RUNNING, SUCCEEDED, FAILED, RETRYABLE_FAILED, …",
        )
    for field, (expected, convert) in _FIELDS.items():
        value = getattr(found, field)
        try:
            if value is not None:
                convert(value)
        except Exception as error:
            raise FlytenbError(
                f"{name} must return {expected} as {field} of a Resource, got {brief(value)}", hint=headline(error)
            ) from error
    return found


def _require_outputs(value: Any) -> None:
    if not isinstance(value, Mapping | LiteralMap):
        raise TypeError("return Resource(phase=…, outputs={'o0': …})")


_FIELDS: Mapping[str, tuple[str, Callable[[Any], object]]] = {
    "message": ("a text", lambda value: admin.Resource(message=value)),
    "log_links": ("a list of flyteidl's TaskLog", lambda value: admin.Resource(log_links=value)),
    "custom_info": ("JSON data", lambda value: json_format.Parse(json.dumps(value), Struct())),
    "outputs": ("values by name or a LiteralMap", _require_outputs),
}
"""What the fields of a Resource must be, and their conversions by the connector service."""


async def _delete(job: Job, ask: Asking, meta: Any, say: Say) -> None:
    try:
        await ask(job.connector.delete, resource_meta=meta)
    except Exception as e:
        say(f"the job could not be deleted and may run on: {headline(e)}\n", ())


def phase_name(phase: int) -> str:
    """Return the name of a phase: `running`, `waiting for resources`."""
    return str(TaskExecution.Phase.Name(phase)).lower().replace("_", " ")


def links_of(resource: Any) -> Links:
    """Return the names and addresses of a resource's logs."""
    return tuple((clean(link.name), clean(link.uri)) for link in resource.log_links or ())


def _phase_text(resource: Any) -> str:
    links = "".join(f"{name}: {uri}\n" for name, uri in links_of(resource))
    message = f" {resource.message}" if resource.message else ""
    custom = f"custom info: {brief(resource.custom_info)}\n" if resource.custom_info else ""
    return clean(f"{phase_name(resource.phase)}{message}\n{links}{custom}")
