"""A connector's task, run here on a loop of its own: created, polled, deleted when nobody wants it any more.

flytekit's own way can't run in a kernel (its loop is the kernel's), blocks while it sleeps, ignores timeouts and
interrupts, and converts literals that are literals already.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flyteidl.core import literals_pb2
from flyteidl.core.execution_pb2 import TaskExecution
from flytekit.configuration import ImageConfig, SerializationSettings
from flytekit.core import utils
from flytekit.core.context_manager import ExecutionState, FlyteContextManager
from flytekit.core.python_function_task import PythonFunctionTask
from flytekit.exceptions.user import FlyteUserException
from flytekit.extend.backend.base_connector import (
    AsyncConnectorExecutorMixin,
    ConnectorRegistry,
    SyncConnectorBase,
    SyncConnectorExecutorMixin,
)
from flytekit.extend.backend.utils import is_terminal_phase, mirror_async_methods, render_task_template
from flytekit.models.literals import Literal, LiteralMap
from flytekit.tools.translator import get_serializable

from flytenb.bridge.context import Workspace, compile_lock
from flytenb.bridge.crossing import Value, from_literal, packer

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0

Say = Callable[[str], None]


def is_connector_task(task: Any) -> bool:
    """Whether a service does the work of this task."""
    return isinstance(task, AsyncConnectorExecutorMixin | SyncConnectorExecutorMixin)


@dataclass(frozen=True, slots=True)
class Job:
    """What a connector is asked to do, made ready on a worker's thread: nothing in it waits any more."""

    task: Any
    connector: Any
    template: Any
    inputs: LiteralMap
    output_prefix: str


def prepare_job(task: Any, inputs: Mapping[str, Any], workspace: Workspace) -> Job:
    """Serialise the task, find its connector, turn its inputs into literals.

    Raises:
        Exception: flytekit's own, if there is no connector for the task's type.
    """
    context = workspace.enter()
    settings = context.serialization_settings or SerializationSettings(ImageConfig.auto_default_image())
    with workspace.outside(), compile_lock:
        template = get_serializable(OrderedDict(), settings, task).template
    connector = ConnectorRegistry.get_connector(template.type, template.task_type_version)
    types, variables = task.python_interface.inputs, task.interface.inputs
    literals = LiteralMap(
        {name: packer(types[name], variables[name].type, strict=True)(v).literal() for name, v in inputs.items()}
    )
    prefix = context.file_access.get_random_remote_directory()
    if isinstance(task, PythonFunctionTask):
        # A job that runs the function itself finds its inputs in a file, as it would on a cluster.
        state = workspace.context(ExecutionState.Mode.TASK_EXECUTION)
        workspace.enter(state)
        path = context.file_access.get_random_local_path()
        utils.write_proto_to_file(literals.to_flyte_idl(), path)
        context.file_access.put_data(path, f"{prefix}/inputs.pb")
        template = render_task_template(template, prefix)
    return Job(task, connector, template, literals, prefix)


async def do_job(job: Job, workspace: Workspace, say: Say) -> dict[str, Value]:
    """Do a job to its end and return its outputs; when cancelled, delete what was created.

    Raises:
        FlyteUserException: if the service says that it failed.
    """
    workspace.enter()
    arguments = {"task_template": job.template, "inputs": job.inputs, "output_prefix": job.output_prefix}
    if isinstance(job.connector, SyncConnectorBase):
        resource = await mirror_async_methods(job.connector.do, **arguments)
    else:
        resource = await _poll(job, arguments, say)
    if resource.phase != TaskExecution.SUCCEEDED:
        raise FlyteUserException(f"Failed to run the task {job.task.name} with error: {resource.message}")
    return _read_outputs(job, resource.outputs)


async def _poll(job: Job, arguments: Mapping[str, Any], say: Say) -> Any:
    creating = asyncio.ensure_future(mirror_async_methods(job.connector.create, **arguments))
    try:
        meta = await asyncio.shield(creating)
    except asyncio.CancelledError:
        # What is being created can't be taken back before it is there.
        await _delete(job, await creating)
        raise
    try:
        pause, told = _FIRST_PAUSE, ""
        while True:
            resource = await mirror_async_methods(job.connector.get, resource_meta=meta)
            news = _news(resource)
            if news != told:
                say(news)
                told = news
            if is_terminal_phase(resource.phase):
                return resource
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
    except asyncio.CancelledError:
        await _delete(job, meta)
        raise


async def _delete(job: Job, meta: Any) -> None:
    await mirror_async_methods(job.connector.delete, resource_meta=meta)


def _news(resource: Any) -> str:
    links = "".join(f"{link.name}: {link.uri}\n" for link in resource.log_links or ())
    message = f" {resource.message}" if resource.message else ""
    return f"{TaskExecution.Phase.Name(resource.phase).lower()}{message}\n{links}"


def _read_outputs(job: Job, outputs: Any) -> dict[str, Value]:
    """Take outputs as the connector gave them: literals pass through, Python values become literals once."""
    declared = job.task.python_interface.outputs
    if outputs is None:
        if not declared:
            return {}
        files = FlyteContextManager.current_context().file_access
        path = files.get_random_local_path()
        files.get_data(f"{job.output_prefix}/outputs.pb", path)
        outputs = LiteralMap.from_flyte_idl(utils.load_proto_from_file(literals_pb2.LiteralMap, path))
    given: Mapping[str, Any] = outputs.literals if isinstance(outputs, LiteralMap) else outputs
    values: dict[str, Value] = {}
    for name, value in given.items():
        if isinstance(value, Literal):
            if name in declared:
                values[name] = from_literal(value, declared[name])
        else:
            # A task that declares no outputs takes what it gets, as the type that it has.
            values[name] = packer(declared.get(name, type(value)), strict=True)(value)
    missing = [name for name in declared if name not in values]
    if missing:
        raise FlyteUserException(f"the connector of {job.task.name} gave no output {', '.join(map(repr, missing))}")
    return values


class ConnectorLoop:
    """One event loop on one thread for all jobs of all runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, coroutine: Any, on_end: Callable[[asyncio.Task[Any]], None]) -> Callable[[], None]:
        """Start a coroutine; `on_end` hears of its end on the loop's thread. Return what cancels it."""
        loop = self._running()
        made: list[asyncio.Task[Any]] = []
        cancelled = threading.Event()

        def begin() -> None:
            task = loop.create_task(coroutine)
            task.add_done_callback(on_end)
            made.append(task)
            if cancelled.is_set():
                task.cancel()

        def cancel() -> None:
            cancelled.set()
            loop.call_soon_threadsafe(lambda: made and made[0].cancel())

        loop.call_soon_threadsafe(begin)
        return cancel

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="flytenb-connectors", daemon=True).start()
            return self._loop


connector_loop = ConnectorLoop()
