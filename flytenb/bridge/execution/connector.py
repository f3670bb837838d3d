"""Connector tasks, run here on an event loop of their own: created, polled, deleted when they are cancelled.

flytekit's own local run can't run in a kernel (its loop is the kernel's), blocks while it sleeps, ignores timeouts and
interrupts, and converts literals a second time.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flyteidl.core import literals_pb2
from flyteidl.core.execution_pb2 import TaskExecution
from flytekit.core import utils
from flytekit.core.context_manager import ExecutionState, FlyteContextManager
from flytekit.core.python_function_task import PythonFunctionTask
from flytekit.exceptions.system import FlyteConnectorNotFound
from flytekit.exceptions.user import FlyteRecoverableException, FlyteUserException
from flytekit.extend.backend.base_connector import (
    AsyncConnectorExecutorMixin,
    ConnectorRegistry,
    SyncConnectorBase,
    SyncConnectorExecutorMixin,
)
from flytekit.extend.backend.utils import is_terminal_phase, render_task_template
from flytekit.models.literals import Literal, LiteralMap

from flytenb.bridge.context import Workspace
from flytenb.bridge.crossing import CrossingValue, from_literal, packer
from flytenb.bridge.execution.task_template import input_literals, read_template
from flytenb.bridge.stopping import NodeStopped, raise_in
from flytenb.errors import headline
from flytenb.wording.text import clean

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0

Say = Callable[[str], None]
Submit = Callable[[Callable[[], None]], None]
"""Runs a function on a thread that may be blocked for any time."""


def is_connector_task(task: Any) -> bool:
    """Tell whether a connector runs this task.

    A task with an `execute` of its own runs itself if its type has no connector, as Spark tasks do.
    """
    mixin = next((c for c in (AsyncConnectorExecutorMixin, SyncConnectorExecutorMixin) if isinstance(task, c)), None)
    return mixin is not None and (type(task).execute is mixin.execute or _has_connector(task))


def _has_connector(task: Any) -> bool:
    try:
        ConnectorRegistry.get_connector(task.task_type, task.task_type_version)
    except FlyteConnectorNotFound:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Job:
    """A prepared task for a connector."""

    workspace: Workspace
    task: Any
    connector: Any
    template: Any
    inputs: LiteralMap
    output_prefix: str


def prepare_job(task: Any, inputs: Mapping[str, Any], workspace: Workspace) -> Job:
    """Serialise the task, find its connector, convert its inputs to literals.

    Raises:
        Exception: flytekit's own, if there is no connector for the task's type.
    """
    context = workspace.enter()
    template = read_template(task, workspace)
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
    return Job(workspace, task, connector, template, literals, prefix)


async def do_job(job: Job, say: Say, submit: Submit) -> dict[str, CrossingValue]:
    """Run a job to its end and return its outputs; delete it at the service if this is cancelled.

    Args:
        job: the job.
        say: called with the messages of the service.
        submit: runs a blocking method of the connector on a thread.

    Raises:
        FlyteUserException: if the service reports a failure.
        FlyteRecoverableException: if it reports a failure that may be retried.
    """
    job.workspace.enter()
    ask = _Asking(job, submit)
    arguments = {"task_template": job.template, "inputs": job.inputs, "output_prefix": job.output_prefix}
    if isinstance(job.connector, SyncConnectorBase):
        resource = await ask(job.connector.do, **arguments)
    else:
        resource = await _poll(job, ask, arguments, say)
    if resource.phase != TaskExecution.SUCCEEDED:
        kind = FlyteRecoverableException if resource.phase == TaskExecution.RETRYABLE_FAILED else FlyteUserException
        raise kind(f"Failed to run the task {job.task.name} with error: {resource.message}")
    outputs: dict[str, CrossingValue] = await ask(_read_outputs, job=job, outputs=resource.outputs)
    return outputs


@dataclass(frozen=True, slots=True)
class _Asking:
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


async def _poll(job: Job, ask: _Asking, arguments: Mapping[str, Any], say: Say) -> Any:
    creating = asyncio.ensure_future(ask(job.connector.create, **arguments))
    try:
        meta = await asyncio.shield(creating)
    except asyncio.CancelledError:
        # A job that is being created can only be deleted once it exists.
        await _delete(job, ask, await creating, say)
        raise
    try:
        pause, last = _FIRST_PAUSE, ""
        while True:
            resource = await ask(job.connector.get, resource_meta=meta)
            message = _phase_text(resource)
            if message != last:
                say(message)
                last = message
            if is_terminal_phase(resource.phase):
                return resource
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
    except BaseException:
        # Cancelled, timed out, or failed to poll: as on a cluster, the job must not run on.
        await _delete(job, ask, meta, say)
        raise


async def _delete(job: Job, ask: _Asking, meta: Any, say: Say) -> None:
    try:
        await ask(job.connector.delete, resource_meta=meta)
    except Exception as e:
        say(f"the job could not be deleted and may run on: {headline(e)}\n")


def _phase_text(resource: Any) -> str:
    links = "".join(f"{link.name}: {link.uri}\n" for link in resource.log_links or ())
    message = f" {resource.message}" if resource.message else ""
    return clean(f"{TaskExecution.Phase.Name(resource.phase).lower()}{message}\n{links}")


def _read_outputs(job: Job, outputs: Any) -> dict[str, CrossingValue]:
    """Return a connector's outputs as literals; Python values are converted."""
    declared = job.task.python_interface.outputs
    if outputs is None:
        if not declared:
            return {}
        files = FlyteContextManager.current_context().file_access
        path = files.get_random_local_path()
        files.get_data(f"{job.output_prefix}/outputs.pb", path)
        outputs = LiteralMap.from_flyte_idl(utils.load_proto_from_file(literals_pb2.LiteralMap, path))
    given: Mapping[str, Any] = outputs.literals if isinstance(outputs, LiteralMap) else outputs
    values: dict[str, CrossingValue] = {}
    for name, value in given.items():
        if isinstance(value, Literal):
            if name in declared:
                values[name] = from_literal(value, declared[name])
        else:
            # A task that declares no outputs accepts any, with the type that the value has.
            values[name] = packer(declared.get(name, type(value)), strict=True)(value)
    missing = [name for name in declared if name not in values]
    if missing:
        raise FlyteUserException(f"the connector of {job.task.name} gave no output {', '.join(map(repr, missing))}")
    return values


class ConnectorLoop:
    """One event loop on one thread for all jobs of all runs.

    A method that blocks the loop blocks all jobs. `give_up` abandons such a loop, so that the next job gets a new one.
    """

    def __init__(self) -> None:
        self.start_anew()

    def start_anew(self) -> None:
        """Start without a thread: a forked process has none of its parent's threads."""
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._is_closed = threading.Event()
        self._going_on: set[object] = set()

    def start(self, coroutine: Any, on_end: Callable[[asyncio.Task[Any]], None]) -> Callable[[], Callable[[], None]]:
        """Start a coroutine; `on_end` is called on the loop's thread when it has ended.

        Returns:
            A function that cancels it. That returns a function to be called some time later: if the loop hasn't
            cancelled the coroutine by then, the loop is blocked; its thread is stopped and not used again.
        """
        job = object()
        loop, thread = self._running(job)
        made: list[asyncio.Task[Any]] = []
        cancelled, heard = threading.Event(), threading.Event()

        def begin() -> None:
            task = loop.create_task(coroutine)
            task.add_done_callback(on_end)
            task.add_done_callback(forget)
            made.append(task)
            if cancelled.is_set():
                task.cancel()

        def forget(_: Any) -> None:
            heard.set()
            with self._lock:
                self._going_on.discard(job)

        def cancel_here() -> None:
            heard.set()
            if made:
                made[0].cancel()

        def cancel() -> Callable[[], None]:
            cancelled.set()
            with suppress(RuntimeError):  # the job has ended, and its loop has been closed
                loop.call_soon_threadsafe(cancel_here)
            return give_up

        def give_up() -> None:
            if heard.is_set():
                return
            with self._lock:
                if self._loop is loop:
                    self._loop = None
                    self._going_on.clear()
            if thread.ident is not None:
                raise_in(thread.ident, NodeStopped)

        loop.call_soon_threadsafe(begin)
        return cancel

    def close(self) -> None:
        """End the thread unless jobs go on; a later job starts another."""
        with self._lock:
            loop = self._loop
            if loop is None or self._going_on:
                return
            self._loop = None
            self._is_closed.set()
        loop.call_soon_threadsafe(loop.stop)

    def _running(self, job: object) -> tuple[asyncio.AbstractEventLoop, threading.Thread]:
        """Return the loop and its thread, started if needed, and count a job that goes on."""
        with self._lock:
            self._going_on.add(job)
            if self._loop is None or self._thread is None:
                self._loop, self._is_closed = asyncio.new_event_loop(), threading.Event()
                arguments = (self._loop, self._is_closed)
                self._thread = threading.Thread(target=_run, args=arguments, name="flytenb-connectors", daemon=True)
                self._thread.start()
            return self._loop, self._thread


def _run(loop: asyncio.AbstractEventLoop, is_closed: threading.Event) -> None:
    while not is_closed.is_set():
        # The request to stop a blocking method may arrive just after it has returned.
        with suppress(BaseException):
            loop.run_forever()
    loop.close()
