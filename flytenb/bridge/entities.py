"""Tasks, workflows and launch plans as words and frozen data; how they are wired is left to `graphs`."""

from __future__ import annotations

import datetime
import inspect
from collections.abc import Mapping
from typing import Any, NamedTuple, get_args

from flytekit.core.array_node import ArrayNode
from flytekit.core.array_node_map_task import ArrayNodeMapTask
from flytekit.core.base_sql_task import SQLTask
from flytekit.core.base_task import Task
from flytekit.core.container_task import ContainerTask
from flytekit.core.gate import Gate
from flytekit.core.interface import Interface as PythonInterface
from flytekit.core.interface import remap_shared_output_descriptions
from flytekit.core.launch_plan import LaunchPlan
from flytekit.core.legacy_map_task import MapPythonTask
from flytekit.core.python_function_task import EagerAsyncPythonFunctionTask, PythonFunctionTask
from flytekit.core.reference_entity import (
    LaunchPlanReference,
    ReferenceEntity,
    TaskReference,
)
from flytekit.core.workflow import WorkflowBase, WorkflowFailurePolicy
from flytekit.extend.backend.base_connector import AsyncConnectorExecutorMixin, SyncConnectorExecutorMixin
from flytekit.extras.tasks.shell import ShellTask
from flytekit.remote.entities import FlyteLaunchPlan, FlyteTask, FlyteWorkflow
from flytekit.types.error import FlyteError

from flytenb.bridge import private
from flytenb.bridge.stubs import Body, read_body
from flytenb.bridge.type_names import name_literal_type, name_type
from flytenb.bridge.values_in_short import shorten
from flytenb.errors import NotAnEntityError
from flytenb.model import Interface, Kind, Port
from flytenb.model.graph import Setting

_REMOTE = (FlyteTask, FlyteWorkflow, FlyteLaunchPlan)
_MAPS = (ArrayNodeMapTask, MapPythonTask, ArrayNode)
_ENTITIES = (Task, WorkflowBase, LaunchPlan, ReferenceEntity, ArrayNode, *_REMOTE)
_CONNECTORS = (AsyncConnectorExecutorMixin, SyncConnectorExecutorMixin)

_KINDS: tuple[tuple[tuple[type, ...], Kind], ...] = (
    ((ReferenceEntity, *_REMOTE), Kind.REFERENCE),
    (_MAPS, Kind.MAP),
    ((LaunchPlan,), Kind.LAUNCH_PLAN),
    ((Gate,), Kind.GATE),
    ((EagerAsyncPythonFunctionTask,), Kind.EAGER),
    ((ContainerTask,), Kind.CONTAINER),
    ((ShellTask,), Kind.SHELL),
    ((SQLTask,), Kind.SQL),
    (_CONNECTORS, Kind.CONNECTOR),
    ((Task,), Kind.TASK),
    ((WorkflowBase,), Kind.SUBWORKFLOW),
)
"""First match wins: references inherit from what they refer to, and many SQL tasks are connectors too."""

KIND_WORDS = {Kind.SUBWORKFLOW: "workflow", Kind.LAUNCH_PLAN: "launch plan"}
"""Kinds whose word in a sentence isn't their value."""


def is_entity(obj: Any) -> bool:
    """Tell whether an object is a task, workflow, launch plan, reference or map task.

    Only the type is looked at: `hasattr` on a task raises errors of its own, and a user's `__getattr__` or `__class__`
    may do anything.
    """
    return issubclass(type(obj), _ENTITIES)


def require_entity(obj: Any) -> None:
    """Raise NotAnEntityError unless the object is an entity."""
    if not is_entity(obj):
        raise NotAnEntityError(
            f"an object of type {type(obj).__name__!r} is neither task, workflow nor launch plan",
            hint="give what @task, @workflow or LaunchPlan.get_or_create made",
        )


def kind_of(entity: Any) -> Kind:
    """Tell what a node of this entity is: the kind of a workflow is a subworkflow, that of an empty body a stub."""
    cls = type(entity)
    for classes, kind in _KINDS:
        if issubclass(cls, classes):
            if kind in (Kind.TASK, Kind.SUBWORKFLOW, Kind.EAGER) and is_stub(entity):
                return Kind.STUB
            if kind is Kind.TASK and _is_dynamic(entity):
                return Kind.DYNAMIC
            return kind
    require_entity(entity)
    raise AssertionError(f"no kind for {cls.__name__}")  # every entity class is in the table above


def _is_dynamic(task: Any) -> bool:
    return isinstance(task, PythonFunctionTask) and task.execution_mode == PythonFunctionTask.ExecutionBehavior.DYNAMIC


def function_of(entity: Any) -> Any:
    """Return the user's function under a task or workflow, None where there is none."""
    if isinstance(entity, PythonFunctionTask):
        return entity.task_function
    if isinstance(entity, WorkflowBase) and not isinstance(entity, ReferenceEntity):
        return private.workflow_function(entity)
    return None


def is_stub(entity: Any) -> bool:
    """Tell whether the body is still to be written.

    `...` and `raise NotImplementedError` always say so. A docstring or `pass` says so for a workflow, and for a task
    that has promised an output; a task without outputs that does nothing is complete, and runs so on a cluster.
    """
    function = function_of(entity)
    if function is None:
        return False
    body = read_body(function)
    if body is Body.NOTHING:
        return isinstance(entity, WorkflowBase) or not _may_return_nothing(entity)
    return body is Body.ELLIPSIS


def _may_return_nothing(task: Any) -> bool:
    """Whether falling off the end of the function gives a valid output, as flytekit judges it."""
    outputs = list(task.python_interface.outputs.values())
    return not outputs or (len(outputs) == 1 and type(None) in get_args(outputs[0]))


def short_name(entity: Any) -> str:
    """Return the name as the user wrote it: the function's, or the one given by hand; for a map what it maps."""
    if isinstance(entity, _MAPS):
        return short_name(map_target(entity))
    if isinstance(entity, Gate):
        return str(entity.name) if entity.sleep_duration is None else "sleep"
    name = str(entity.id.name if isinstance(entity, _REMOTE) else entity.name)
    if isinstance(entity, LaunchPlan) and not isinstance(entity, ReferenceEntity):
        return short_name(entity.workflow) if name == entity.workflow.name else name
    function = function_of(entity)
    if function is not None:
        return str(getattr(inspect.unwrap(function), "__name__", None) or name.rpartition(".")[2])
    if isinstance(entity, (ReferenceEntity, *_REMOTE)):
        return name.rpartition(".")[2]
    return name


def is_map(entity: Any) -> bool:
    """Tell whether the entity maps another over lists."""
    return isinstance(entity, _MAPS)


def map_target(entity: Any) -> Any:
    """Return the task or launch plan that a map task or array node maps."""
    if isinstance(entity, ArrayNode):
        return entity.target
    if isinstance(entity, MapPythonTask):
        return entity.run_task
    return entity.python_function_task


def inner_workflow(entity: Any) -> WorkflowBase | None:
    """Return the workflow that a node of this entity opens to, None for what has no inside before it runs."""
    if isinstance(entity, ReferenceEntity):
        return None
    if isinstance(entity, ArrayNode):
        return inner_workflow(entity.target)
    if isinstance(entity, LaunchPlan):
        return inner_workflow(entity.workflow)
    return entity if isinstance(entity, WorkflowBase) else None


def python_interface(entity: Any) -> PythonInterface | None:
    """Return flytekit's Python interface, None for what comes from a cluster and has none."""
    try:
        found = entity.python_interface
    except (AttributeError, ValueError):
        return None
    return found if isinstance(found, PythonInterface) else None


def read_interface(entity: Any) -> Interface:
    """Read the inputs (with default and doc) and outputs; a launch plan's fixed inputs are not its inputs any more."""
    interface = python_interface(entity)
    if interface is None:
        return _read_typed_interface(entity.interface)
    docstring = interface.docstring
    docs = docstring.input_descriptions if docstring else {}
    output_docs = docstring.output_descriptions if docstring else {}
    output_docs = remap_shared_output_descriptions(output_docs, interface.outputs)
    fixed, saved = plan_inputs(entity)
    inputs = tuple(
        Port(name, name_type(t), _default_in_short(saved.get(name, default), t), docs.get(name) or "")
        for name, (t, default) in interface.inputs_with_defaults.items()
        if name not in fixed
    )
    outputs = tuple(Port(k, name_type(t), None, output_docs.get(k) or "") for k, t in interface.outputs.items())
    return Interface(inputs, outputs, _read_doc(entity, interface))


class PlanInputs(NamedTuple):
    """What a launch plan says about its workflow's inputs, as Python values; `saved` holds the fixed ones too."""

    fixed: Mapping[str, Any]
    saved: Mapping[str, Any]


def plan_inputs(entity: Any) -> PlanInputs:
    """Return what a launch plan fixes and saves; nothing for any other entity."""
    if not isinstance(entity, LaunchPlan) or isinstance(entity, ReferenceEntity):
        return PlanInputs({}, {})
    return PlanInputs(entity.raw_fixed_inputs, entity.saved_inputs)


def is_error_type(python_type: Any) -> bool:
    """Tell whether an input takes the error that a failure handler handles; Flyte itself fills it."""
    return FlyteError in (python_type, *get_args(python_type))


def _read_typed_interface(interface: Any) -> Interface:
    if interface is None:  # a launch plan whose workflow wasn't fetched
        return Interface()
    return Interface(_typed_ports(interface.inputs), _typed_ports(interface.outputs))


def _typed_ports(variables: Mapping[str, Any]) -> tuple[Port, ...]:
    """Read variables; flytekit puts a variable's name where it has no description."""
    docs = {k: "" if v.description == k else v.description for k, v in variables.items()}
    return tuple(Port(k, name_literal_type(v.type), None, docs[k]) for k, v in variables.items())


def _default_in_short(value: Any, python_type: Any) -> str | None:
    """The default in short; flytekit keeps none and `None` alike, and fills in None only where the type allows it."""
    if value is None:
        return "None" if type(None) in get_args(python_type) else None
    return shorten(value)


def _read_doc(entity: Any, interface: PythonInterface) -> str:
    if interface.docstring is not None:
        parts = (interface.docstring.short_description, interface.docstring.long_description)
        return "\n\n".join(p.strip() for p in parts if p)
    docs = getattr(entity, "docs", None) if isinstance(entity, Task | WorkflowBase) else None
    return str(getattr(docs, "short_description", None) or "")


def read_settings(entity: Any) -> dict[str, Setting]:
    """Read what a badge can say about the entity itself; what a node overrides is left to `graphs`."""
    settings: dict[str, Setting] = {}
    if isinstance(entity, (ReferenceEntity, *_REMOTE)):
        _add_reference(settings, entity)
    elif isinstance(entity, ArrayNode):
        _add_map(settings, entity)
    elif isinstance(entity, Gate):
        _add_gate(settings, entity)
    elif isinstance(entity, LaunchPlan):
        _add_plan(settings, entity)
    elif isinstance(entity, WorkflowBase):
        if entity.workflow_metadata.on_failure == WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE:
            settings["failure_policy"] = "fail after executable nodes complete"
        if entity.workflow_metadata_defaults.interruptible:
            settings["interruptible"] = True
    elif isinstance(entity, Task):
        _add_task(settings, entity)
    return settings


def _add_reference(settings: dict[str, Setting], entity: Any) -> None:
    reference = entity.reference if isinstance(entity, ReferenceEntity) else None
    if isinstance(entity, FlyteTask) or isinstance(reference, TaskReference):
        settings["of"] = "task"
    elif isinstance(entity, FlyteLaunchPlan) or isinstance(reference, LaunchPlanReference):
        settings["of"] = "launch plan"
    else:
        settings["of"] = "workflow"
    identifier = entity.id
    for key in ("project", "domain", "version"):
        if getattr(identifier, key):
            settings[key] = str(getattr(identifier, key))


def _add_map(settings: dict[str, Setting], entity: Any) -> None:
    settings["of"] = short_name(map_target(entity))
    ratio = entity.min_success_ratio if not isinstance(entity, MapPythonTask) else None
    if not isinstance(entity, MapPythonTask):
        if entity.concurrency is not None:
            settings["concurrency"] = entity.concurrency
        if entity.min_successes:
            settings["min_successes"] = entity.min_successes
    if ratio is not None and ratio != 1:
        settings["min_success_ratio"] = ratio
    if entity.bound_inputs:
        settings["bound"] = ", ".join(sorted(entity.bound_inputs))


def _add_gate(settings: dict[str, Setting], gate: Gate) -> None:
    if gate.sleep_duration is not None:
        settings["gate"] = "sleep"
        settings["duration"] = seconds(gate.sleep_duration)
        return
    settings["gate"] = "approve" if gate.input_type is None else "input"
    settings["timeout"] = seconds(private.gate_timeout(gate))


def _add_plan(settings: dict[str, Setting], plan: LaunchPlan) -> None:
    fixed, saved = plan_inputs(plan)
    defaults = {k: v for k, v in saved.items() if k not in fixed and v is not None}
    for key, values in (("fixed", fixed), ("defaults", defaults)):
        if values:
            settings[key] = ", ".join(f"{k}={shorten(v)}" for k, v in values.items())
    cron = getattr(plan.schedule, "cron_schedule", None)
    expression = getattr(cron, "schedule", None) or getattr(plan.schedule, "cron_expression", None)
    if expression:
        settings["schedule"] = str(expression)


def _add_task(settings: dict[str, Setting], task: Task) -> None:
    if isinstance(task, _MAPS):
        _add_map(settings, task)
        task_type = map_target(task).task_type
    else:
        task_type = task.task_type
    metadata = task.metadata
    if metadata.retries:
        settings["retries"] = metadata.retries
    if metadata.timeout:
        settings["timeout"] = seconds(metadata.timeout)
    if metadata.interruptible is not None:
        settings["interruptible"] = metadata.interruptible
    if metadata.cache:
        settings["cache"] = metadata.cache_version
    if metadata.cache_serialize:
        settings["cache_serialize"] = True
    if task_type != "python-task":
        settings["task_type"] = task_type
    runs = map_target(task) if isinstance(task, _MAPS) else task
    image = private.container_image(runs) if isinstance(runs, ContainerTask) else getattr(runs, "container_image", None)
    if image is not None:
        settings["image"] = name_image(image)
    add_resources(settings, getattr(runs, "resources", None))


def seconds(duration: datetime.timedelta | int) -> int | float:
    """Return a duration in seconds, whole where it is."""
    seconds = duration.total_seconds() if isinstance(duration, datetime.timedelta) else duration
    return int(seconds) if seconds == int(seconds) else seconds


def name_image(image: Any) -> str:
    """Return an image as its tag, or the name of its ImageSpec; the spec's hash would mean to read its files."""
    if isinstance(image, str):
        return image
    registry = getattr(image, "registry", None)
    return f"{registry}/{image.name}" if registry else str(image.name)


def add_resources(settings: dict[str, Setting], resources: Any) -> None:
    """Put cpu, mem, gpu and disk into the settings: what is requested, else the limit."""
    for key, attribute in (("cpu", "cpu"), ("mem", "mem"), ("gpu", "gpu"), ("disk", "ephemeral_storage")):
        for part in ("requests", "limits"):
            value = getattr(getattr(resources, part, None), attribute, None)
            if value is not None:
                settings[key] = value if isinstance(value, int | float | str) else str(value)
                break
