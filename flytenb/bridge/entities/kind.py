"""Kinds, names and insides of entities."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache
from types import FunctionType
from typing import Any, get_args

from flytekit.core.array_node import ArrayNode
from flytekit.core.array_node_map_task import ArrayNodeMapTask
from flytekit.core.base_sql_task import SQLTask
from flytekit.core.base_task import PythonTask, Task
from flytekit.core.container_task import ContainerTask
from flytekit.core.gate import Gate
from flytekit.core.launch_plan import LaunchPlan
from flytekit.core.legacy_map_task import MapPythonTask
from flytekit.core.python_function_task import EagerAsyncPythonFunctionTask, PythonFunctionTask
from flytekit.core.reference_entity import ReferenceEntity
from flytekit.core.workflow import WorkflowBase
from flytekit.extend.backend.base_connector import AsyncConnectorExecutorMixin, SyncConnectorExecutorMixin
from flytekit.extras.tasks.shell import ShellTask
from flytekit.remote.entities import FlyteLaunchPlan, FlyteTask, FlyteWorkflow

from flytenb.bridge import private
from flytenb.bridge.entities.container_cell import MAPPED, CellTask, CellWorkflow, CodecTask
from flytenb.bridge.entities.stub import Body, read_body
from flytenb.errors import NotAnEntityError, RemoteEntityError
from flytenb.model import Kind
from flytenb.wording.text import class_name

REMOTE = (FlyteTask, FlyteWorkflow, FlyteLaunchPlan)
"""Classes of entities that were fetched from a cluster."""

_MAPS = (ArrayNodeMapTask, MapPythonTask, ArrayNode)
_ENTITIES = (Task, WorkflowBase, LaunchPlan, ReferenceEntity, ArrayNode, *REMOTE)
_DECORATING = ("flytekit.core.task", "flytekit.core.workflow")
CONNECTOR_TASKS = (AsyncConnectorExecutorMixin, SyncConnectorExecutorMixin)
"""Classes of tasks that a connector may run."""

_KINDS: tuple[tuple[tuple[type, ...], Kind], ...] = (
    ((ReferenceEntity, *REMOTE), Kind.REFERENCE),
    (_MAPS, Kind.MAP),
    ((LaunchPlan,), Kind.LAUNCH_PLAN),
    ((Gate,), Kind.GATE),
    ((EagerAsyncPythonFunctionTask,), Kind.EAGER),
    ((ContainerTask,), Kind.CONTAINER),
    ((ShellTask,), Kind.SHELL),
    ((SQLTask,), Kind.SQL),
    (CONNECTOR_TASKS, Kind.CONNECTOR),
    ((Task,), Kind.TASK),
    ((WorkflowBase,), Kind.SUBWORKFLOW),
)
"""First match wins: references inherit from what they refer to, and many SQL tasks are connectors too."""


def is_entity(obj: Any) -> bool:
    """Tell whether an object is a task, workflow, launch plan, reference or map task.

    Only the type is read: `hasattr` on a task may raise other errors than AttributeError, and a user's `__getattr__`
    or `__class__` may do anything.
    """
    return issubclass(type(obj), _ENTITIES)


def is_python_task(obj: Any) -> bool:
    """Tell whether an object is a task with Python types, and not one that refers to or maps another."""
    return issubclass(type(obj), PythonTask) and not issubclass(type(obj), (ReferenceEntity, *_MAPS))


def has_no_container(obj: Any) -> bool:
    """Tell whether an object is a task that a cluster runs without a container of the task's."""
    made = (type(obj).get_container, type(obj).get_k8s_pod) if is_python_task(obj) else ()
    return made == (Task.get_container, Task.get_k8s_pod)


def require_entity(obj: Any) -> None:
    """Raise NotAnEntityError unless the object is an entity."""
    if not is_entity(obj):
        raise NotAnEntityError(
            f"an object of type {class_name(obj)!r} is neither task, workflow nor launch plan",
            hint=_how_to_get_one(obj),
        )


def _how_to_get_one(obj: Any) -> str:
    """Return how to go on, for a function by what decorates it."""
    if type(obj) is FunctionType:
        if obj.__module__ in _DECORATING and "<locals>" in obj.__qualname__:
            return "a decorator beneath @task or @workflow returned None: return the wrapper"
        inner = inspect.unwrap(obj, stop=is_entity)
        if is_entity(inner):
            return f"put @task or @workflow above the other decorators of {short_name(inner)}"
    return "give what @task, @workflow or LaunchPlan.get_or_create made"


def is_remote(entity: Any) -> bool:
    """Tell whether an entity, or what it maps, was fetched from a cluster and so has no code here."""
    return isinstance(map_target(entity) if is_map(entity) else entity, REMOTE)


def require_local(entity: Any) -> None:
    """Raise RemoteEntityError for an entity that was fetched from a cluster, or maps such an entity."""
    if not is_remote(entity):
        return
    identifier = (map_target(entity) if is_map(entity) else entity).id
    place = "/".join(filter(None, (identifier.project, identifier.domain, identifier.version)))
    raise RemoteEntityError(
        f"{short_name(entity)!r} was fetched from a cluster ({place}) and runs there: it has no code and no Python "
        "types here",
        hint="run it there, remote.execute(…); here, declare it with types, @reference_task(…) or "
        "@reference_workflow(…), and give it a stand-in: flytenb.options(stand_ins={…})",
    )


def kind_of(entity: Any) -> Kind:
    """Return the kind of an entity's nodes: a subworkflow for a workflow, a stub for an empty body."""
    cls: Any = type(entity)
    kind = _kind_of_class(cls)
    if kind is None:
        require_entity(entity)
        raise AssertionError(f"no kind for {class_name(entity)}")  # every entity class is in the table above
    if kind in _MAY_BE_STUBS and is_stub(entity):
        return Kind.STUB
    if kind is Kind.TASK and _is_dynamic(entity):
        return Kind.DYNAMIC
    return kind


@lru_cache(maxsize=256)
def _kind_of_class(cls: Any) -> Kind | None:
    return next((kind for classes, kind in _KINDS if issubclass(cls, classes)), None)


_MAY_BE_STUBS = (Kind.TASK, Kind.SUBWORKFLOW, Kind.EAGER)


def _is_dynamic(task: Any) -> bool:
    return isinstance(task, PythonFunctionTask) and task.execution_mode == PythonFunctionTask.ExecutionBehavior.DYNAMIC


def function_of(entity: Any) -> Any:
    """Return the user's function of a task or workflow, None if there is none."""
    if isinstance(entity, PythonFunctionTask):
        return entity.task_function
    if isinstance(entity, WorkflowBase) and not isinstance(entity, ReferenceEntity):
        return private.workflow_function(entity)
    return None


def is_stub(entity: Any) -> bool:
    """Tell whether an entity's function has no body yet.

    `...` and `raise NotImplementedError` always make a stub. A docstring or `pass` alone makes a stub of a workflow,
    and of a task that declares an output; a task without outputs that does nothing is complete and runs on a cluster.
    """
    function = function_of(entity)
    if function is None:
        return False
    body = read_body(function)
    if body is Body.NOTHING:
        return isinstance(entity, WorkflowBase) or not _may_return_nothing(entity)
    return body is Body.ELLIPSIS


def _may_return_nothing(task: Any) -> bool:
    """Whether a function without a `return` gives a valid output by flytekit's rules."""
    outputs = list(task.python_interface.outputs.values())
    return not outputs or (len(outputs) == 1 and type(None) in get_args(outputs[0]))


def short_name(entity: Any) -> str:
    """Return the name that the user wrote: the function's or an explicit one; of a map, that of its target."""
    if isinstance(entity, _MAPS):
        return short_name(map_target(entity))
    if isinstance(entity, Gate):
        return str(entity.name) if entity.sleep_duration is None else "sleep"
    name = str(entity.id.name if isinstance(entity, REMOTE) else entity.name)
    if isinstance(entity, LaunchPlan) and not isinstance(entity, ReferenceEntity):
        whole = entity.workflow.name
        is_whole = name == whole or is_plan_of_mapped_container(entity)
        return short_name(entity.workflow) if is_whole else name
    function = function_of(entity)
    if function is not None:
        return str(getattr(inspect.unwrap(function), "__name__", None) or name.rpartition(".")[2])
    if isinstance(entity, (ReferenceEntity, CellTask, CodecTask, *REMOTE)):
        return name.rpartition(".")[2]
    return name


def is_eager(entity: Any) -> bool:
    """Tell whether an entity is an eager task, which calls others while it runs."""
    return kind_of(entity) is Kind.EAGER


def is_growing(entity: Any) -> bool:
    """Tell whether an entity makes nodes while it runs."""
    return kind_of(entity) in (Kind.DYNAMIC, Kind.EAGER)


def is_reference(entity: Any) -> bool:
    """Tell whether an entity refers to one on a cluster."""
    return kind_of(entity) is Kind.REFERENCE


def is_executable(entity: Any) -> bool:
    """Tell whether a cluster can execute an entity by itself."""
    return kind_of(entity) not in (Kind.GATE, Kind.STUB)


def titled(entity: Any) -> str:
    """Return the name of an entity with what a message calls it: `task fit`, `launch plan nightly`, `map of fit`."""
    return f"{kind_word(entity)} {short_name(entity)}"


def kind_word(entity: Any) -> str:
    """Return what a message calls an entity, before its name."""
    if is_map(entity) or is_plan_of_mapped_container(entity):
        return "map of"
    if isinstance(entity, CellWorkflow):
        return "container"
    return (
        "launch plan" if isinstance(entity, LaunchPlan) else "workflow" if isinstance(entity, WorkflowBase) else "task"
    )


def is_plan_of_mapped_container(entity: Any) -> bool:
    """Tell whether an entity is the launch plan through which a container is mapped, which flytekit makes."""
    if not isinstance(entity, LaunchPlan) or isinstance(entity, ReferenceEntity):
        return False
    return bool(entity.name.startswith(f"{entity.workflow.name}{MAPPED}"))


def is_map(entity: Any) -> bool:
    """Tell whether an entity maps another over lists."""
    return isinstance(entity, _MAPS)


def map_target(entity: Any) -> Any:
    """Return the task or launch plan that a map task or array node maps."""
    if isinstance(entity, ArrayNode):
        return entity.target
    if isinstance(entity, MapPythonTask):
        return entity.run_task
    return entity.python_function_task


def mock_of(entity: Any) -> Callable[..., Any] | None:
    """Return the mock that `flytekit.testing` set as an entity's `execute`, None if there is none.

    When a mock ends, flytekit leaves the entity's own method on the instance, which is not a mock; nor is a method
    that a task's own class sets. A launch plan has the mock of its workflow.
    """
    if isinstance(entity, LaunchPlan) and not isinstance(entity, ReferenceEntity):
        return mock_of(entity.workflow)
    found: Callable[..., Any] | None = getattr(entity, "__dict__", {}).get("execute")
    if found is None:
        return None
    from unittest.mock import NonCallableMock

    is_mock = isinstance(found, NonCallableMock) or getattr(found, "__module__", "") == "flytekit.core.testing"
    return found if is_mock else None


def inner_workflow(entity: Any) -> WorkflowBase | None:
    """Return the workflow inside an entity's nodes, None if they have no inside before they run."""
    if isinstance(entity, ReferenceEntity):
        return None
    if isinstance(entity, ArrayNode):
        return inner_workflow(entity.target)
    if isinstance(entity, LaunchPlan):
        return inner_workflow(entity.workflow)
    return entity if isinstance(entity, WorkflowBase) else None
