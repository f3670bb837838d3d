"""Registration of entities: what is sent, refusals before it is sent, and comparison with what a cluster has."""

from __future__ import annotations

import inspect
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from flyteidl.admin.common_pb2 import NamedEntityIdentifier, ResourceListRequest, Sort
from flyteidl.admin.launch_plan_pb2 import ACTIVE, LaunchPlanCreateRequest, LaunchPlanSpec, LaunchPlanUpdateRequest
from flyteidl.admin.task_pb2 import TaskCreateRequest, TaskSpec
from flyteidl.admin.workflow_pb2 import WorkflowCreateRequest, WorkflowSpec
from flyteidl.core.identifier_pb2 import LAUNCH_PLAN, TASK, WORKFLOW, Identifier
from flytekit.core.launch_plan import LaunchPlan
from flytekit.core.workflow import WorkflowBase
from flytekit.exceptions.user import FlyteEntityAlreadyExistsException
from google.protobuf.json_format import MessageToJson

from flytenb.bridge.cluster.connection import Connection
from flytenb.bridge.cluster.specs import EntitySpec
from flytenb.bridge.cluster.stored_constants import is_stored_here
from flytenb.bridge.entities.kind import function_of
from flytenb.errors import ClusterError, RegistrationError

_TYPES = {"task": TASK, "workflow": WORKFLOW, "launch_plan": LAUNCH_PLAN}
_PLURALS = {"task": "tasks", "workflow": "workflows", "launch_plan": "launch_plans"}
_T = TypeVar("_T")
_AT_A_TIME = 8
"""Requests at the same time."""
_MESSAGES = {"task": TaskSpec, "workflow": WorkflowSpec, "launch_plan": LaunchPlanSpec}


def name_on_cluster(entity: Any, module: str) -> str:
    """Return the name of a notebook's entity after its module has been imported as `module`."""
    if isinstance(entity, LaunchPlan) and entity.name == entity.workflow.name:
        return name_on_cluster(entity.workflow, module)
    function = function_of(entity)
    return str(entity.name) if function is None else f"{module}.{inspect.unwrap(function).__name__}"


def registered_kind(entity: Any) -> str:
    """Return as what an entity is registered: `task`, `workflow` or `launch_plan`."""
    if isinstance(entity, LaunchPlan):
        return "launch_plan"
    return "workflow" if isinstance(entity, WorkflowBase) else "task"


def read_message(spec: EntitySpec) -> Any:
    """Return flyteidl's message of a spec."""
    return _MESSAGES[spec.kind].FromString(spec.message)


def spec_text(spec: EntitySpec) -> str:
    """Return a spec as JSON."""
    return str(MessageToJson(read_message(spec), sort_keys=True))


def require_modules(specs: Iterable[EntitySpec]) -> None:
    """Check that a pod can import each task.

    Raises:
        RegistrationError: for a task without a module; flytekit makes one from an entity of a kernel.
    """
    for spec in specs:
        if spec.kind != "task":
            continue
        arguments = [*read_message(spec).template.container.args]
        for name, module in itertools.pairwise(arguments):
            if name == "task-module" and module in ("", "__main__"):
                raise RegistrationError(
                    f"task {spec.name!r} has no module that a pod could import",
                    hint="define it at the top level of a cell",
                )


def require_readable(specs: Iterable[EntitySpec]) -> None:
    """Check that pods can read the constants of workflows and launch plans.

    Raises:
        RegistrationError: for a file, a frame or a pickled object, which flytekit has stored on this machine.
    """
    for spec in specs:
        if spec.kind != "task" and is_stored_here(read_message(spec)):
            raise RegistrationError(
                f"a constant of {spec.kind.replace('_', ' ')} {spec.name!r} is stored on this machine, where no pod"
                " can read it",
                hint="%flyte check names it; make it in a task, or pass it as an input",
            )


def identifier(connection: Connection, kind: str, name: str, version: str) -> Any:
    """Return flyteidl's identifier of an entity."""
    return Identifier(
        resource_type=_TYPES[kind],
        project=connection.project,
        domain=connection.domain,
        name=name,
        version=version,
    )


def is_registered(connection: Connection, kind: str, name: str, version: str) -> bool:
    """Tell whether the cluster has an entity in a version.

    Raises:
        ClusterError: if it can't be asked.
    """
    return bool(list_versions(connection, kind, name, filters=f"eq(version,{version})"))


def list_versions(connection: Connection, kind: str, name: str, **asked: Any) -> list[Any]:
    """Return the last version of an entity that a cluster lists, or nothing.

    A list of one is asked for instead of the version itself: flytekit asks four times for what doesn't exist.

    Args:
        connection: the cluster.
        kind: `task`, `workflow` or `launch_plan`.
        name: the name of the entity.
        asked: further fields of flyteidl's `ResourceListRequest`.

    Raises:
        ClusterError: with the message of the server.
    """
    own = NamedEntityIdentifier(project=connection.project, domain=connection.domain, name=name)
    newest = Sort(key="created_at", direction=Sort.DESCENDING)
    with connection.asking(f"look up {name!r}"):
        ask = getattr(connection.raw, f"list_{_PLURALS[kind]}_paginated")
        return [*getattr(ask(ResourceListRequest(id=own, limit=1, sort_by=newest, **asked)), _PLURALS[kind])]


def upload(connection: Connection, archive: Path) -> str:
    """Upload an archive and return its address in the cluster's storage.

    Raises:
        ClusterError: if the server or its storage refuses it.
    """
    with connection.asking("upload the module"):
        return str(connection.remote.upload_file(archive, connection.project, connection.domain)[1])


@contextmanager
def request_threads() -> Iterator[ThreadPoolExecutor]:
    """Give threads for requests; an interrupt doesn't wait for their answers."""
    threads = ThreadPoolExecutor(_AT_A_TIME)
    try:
        yield threads
    except BaseException as error:
        threads.shutdown(wait=isinstance(error, Exception), cancel_futures=True)
        raise
    threads.shutdown()


def send(
    connection: Connection,
    specs: Iterable[EntitySpec],
    version: str,
    threads: ThreadPoolExecutor,
    meanwhile: Callable[[], _T],
) -> _T:
    """Register entities, each after those that it needs, and return what is done while requests are under way.

    Raises:
        ClusterError: with the message of the server, with the entity.
    """
    numbered = [*enumerate(specs)]
    tasks = deque((number, spec) for number, spec in numbered if spec.kind == "task")  # they need nothing
    others = deque((number, spec) for number, spec in numbered if spec.kind != "task")
    sent = [threads.submit(_send_all, connection, tasks, version) for _ in range(min(len(tasks), _AT_A_TIME))]
    try:
        result = meanwhile()
        refused = [each.result() for each in sent]
    except BaseException:  # an interrupt: the threads end with the requests that are under way
        tasks.clear()
        raise
    first = min(filter(None, refused), default=None) or _send_all(connection, others, version)
    if first is not None:
        raise first[1]
    return result


def _send_all(
    connection: Connection, specs: deque[tuple[int, EntitySpec]], version: str
) -> tuple[int, ClusterError] | None:
    """Send numbered specs until none is left, and return the number and the error of one that is refused.

    Several threads take from the same specs; none sends more when one is refused.
    """
    with connection.asking("register"), suppress(IndexError):
        while True:
            number, spec = specs.popleft()
            try:
                _send(connection.raw, spec, identifier(connection, spec.kind, spec.name, version))
            except Exception as error:
                specs.clear()
                made = connection.error_of(f"register {spec.kind.replace('_', ' ')} {spec.name!r}", error)
                made.__cause__ = error
                return number, made
    return None


def _send(raw: Any, spec: EntitySpec, own: Any) -> None:
    message = read_message(spec)
    try:
        if spec.kind == "task":
            raw.create_task(TaskCreateRequest(id=own, spec=message))
        elif spec.kind == "workflow":
            raw.create_workflow(WorkflowCreateRequest(id=own, spec=message))
        else:
            raw.create_launch_plan(LaunchPlanCreateRequest(id=own, spec=message))
    except FlyteEntityAlreadyExistsException:
        pass  # of the same content: an earlier attempt was interrupted
    if spec.is_active:
        raw.update_launch_plan(LaunchPlanUpdateRequest(id=own, state=ACTIVE))
