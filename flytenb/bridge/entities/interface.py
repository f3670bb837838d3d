"""Interfaces and settings of tasks, workflows and launch plans as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, get_args

from flytekit.core.array_node import ArrayNode
from flytekit.core.array_node_map_task import ArrayNodeMapTask
from flytekit.core.base_task import Task
from flytekit.core.container_task import ContainerTask
from flytekit.core.gate import Gate
from flytekit.core.interface import Interface as PythonInterface
from flytekit.core.interface import remap_shared_output_descriptions
from flytekit.core.launch_plan import LaunchPlan
from flytekit.core.legacy_map_task import MapPythonTask
from flytekit.core.promise import Promise
from flytekit.core.reference_entity import LaunchPlanReference, ReferenceEntity, TaskReference
from flytekit.core.workflow import WorkflowBase, WorkflowFailurePolicy
from flytekit.remote.entities import FlyteLaunchPlan, FlyteTask
from flytekit.types.error import FlyteError

from flytenb.bridge import private
from flytenb.bridge.entities.container_cell import CellTask, cell_of
from flytenb.bridge.entities.decorators import decorators_of
from flytenb.bridge.entities.durations import seconds
from flytenb.bridge.entities.gate import gate_settings
from flytenb.bridge.entities.kind import (
    REMOTE,
    function_of,
    inner_workflow,
    is_entity,
    is_map,
    is_stub,
    kind_of,
    map_target,
    mock_of,
    require_entity,
    require_local,
    short_name,
)
from flytenb.bridge.type_engine.literal_data import literal_type_text
from flytenb.model import Interface, Port
from flytenb.model.node import Setting
from flytenb.wording.types import type_text
from flytenb.wording.values import SHORT, brief

__all__ = [
    "add_resources",
    "function_of",
    "inner_workflow",
    "is_entity",
    "is_error_type",
    "is_map",
    "is_stub",
    "kind_of",
    "map_target",
    "mock_of",
    "name_image",
    "plan_inputs",
    "python_interface",
    "read_interface",
    "read_settings",
    "require_entity",
    "require_local",
    "seconds",
    "short_name",
]


def python_interface(entity: Any) -> PythonInterface | None:
    """Return flytekit's Python interface, None for an entity of a cluster, which has none."""
    try:
        found = entity.python_interface
    except (AttributeError, ValueError):
        return None
    return found if isinstance(found, PythonInterface) else None


def read_interface(entity: Any) -> Interface:
    """Read the inputs, with defaults and descriptions, and the outputs; without a launch plan's fixed inputs."""
    interface = python_interface(entity)
    if interface is None:
        return _read_typed_interface(entity.interface)
    docstring = interface.docstring
    docs = docstring.input_descriptions if docstring else {}
    output_docs = docstring.output_descriptions if docstring else {}
    output_docs = remap_shared_output_descriptions(output_docs, interface.outputs)
    fixed, saved = plan_inputs(entity)
    inputs = tuple(
        Port(name, type_text(t), _default_in_short(saved.get(name, default), t), docs.get(name) or "")
        for name, (t, default) in interface.inputs_with_defaults.items()
        if name not in fixed
    )
    outputs = tuple(Port(k, type_text(t), None, output_docs.get(k) or "") for k, t in interface.outputs.items())
    return Interface(inputs, outputs, _read_doc(entity, interface))


class PlanInputs(NamedTuple):
    """Inputs that a launch plan or the partial of a map gives, as Python values; `saved` contains the fixed ones."""

    fixed: Mapping[str, Any]
    saved: Mapping[str, Any]


def plan_inputs(entity: Any) -> PlanInputs:
    """Return the inputs that a launch plan fixes and saves, and those of a map's partial; empty for other entities."""
    if isinstance(entity, ArrayNodeMapTask | MapPythonTask):
        given = private.map_inputs(entity).items()
        return PlanInputs({}, {name: value for name, value in given if not isinstance(value, Promise)})
    if not isinstance(entity, LaunchPlan) or isinstance(entity, ReferenceEntity):
        return PlanInputs({}, {})
    saved, fixed = entity.saved_inputs, entity.fixed_inputs.literals
    return PlanInputs({name: value for name, value in saved.items() if name in fixed}, saved)


def is_error_type(python_type: Any) -> bool:
    """Tell whether an input takes the error that a failure handler handles, which Flyte provides."""
    return FlyteError in (python_type, *get_args(python_type))


def _read_typed_interface(interface: Any) -> Interface:
    if interface is None:  # a launch plan whose workflow wasn't fetched
        return Interface()
    return Interface(_typed_ports(interface.inputs), _typed_ports(interface.outputs))


def _typed_ports(variables: Mapping[str, Any]) -> tuple[Port, ...]:
    """Read variables; flytekit uses a variable's name as its description if it has none."""
    docs = {k: "" if v.description == k else v.description for k, v in variables.items()}
    return tuple(Port(k, literal_type_text(v.type), None, docs[k]) for k, v in variables.items())


def _default_in_short(value: Any, python_type: Any) -> str | None:
    """Return the default as short text; flytekit stores None for a missing default too, so the type decides."""
    if value is None:
        return "None" if type(None) in get_args(python_type) else None
    return brief(value, SHORT)


def _read_doc(entity: Any, interface: PythonInterface) -> str:
    if interface.docstring is not None:
        parts = (interface.docstring.short_description, interface.docstring.long_description)
        return "\n\n".join(p.strip() for p in parts if p)
    docs = getattr(entity, "docs", None) if isinstance(entity, Task | WorkflowBase) else None
    return str(getattr(docs, "short_description", None) or "")


def read_settings(entity: Any) -> dict[str, Setting]:
    """Read the settings of an entity that a badge can show, without a node's overrides."""
    settings: dict[str, Setting] = {}
    if isinstance(entity, (ReferenceEntity, *REMOTE)):
        _add_reference(settings, entity)
    elif isinstance(entity, ArrayNode):
        _add_map(settings, entity)
        cell = cell_of(getattr(map_target(entity), "workflow", None))
        if cell is not None:
            _add_task(settings, cell)
    elif isinstance(entity, Gate):
        settings = gate_settings(entity)
    elif isinstance(entity, LaunchPlan):
        _add_plan(settings, entity)
    elif isinstance(entity, WorkflowBase):
        if entity.workflow_metadata.on_failure == WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE:
            settings["failure_policy"] = "fail after executable nodes complete"
        if entity.workflow_metadata_defaults.interruptible:
            settings["interruptible"] = True
        cell = cell_of(entity)
        if cell is not None:
            _add_task(settings, cell)
    elif isinstance(entity, Task):
        _add_task(settings, entity)
    decorators = decorators_of(function_of(map_target(entity) if is_map(entity) else entity))
    if decorators:
        settings["decorators"] = " ".join(f"@{text}" for text in decorators)
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
    if isinstance(entity, MapPythonTask):
        concurrency, ratio = private.legacy_map(entity)
        if concurrency:
            settings["concurrency"] = concurrency
    else:
        ratio = entity.min_success_ratio
        if entity.concurrency is not None:
            settings["concurrency"] = entity.concurrency
        if entity.min_successes:
            settings["min_successes"] = entity.min_successes
    if ratio is not None and ratio != 1:
        settings["min_success_ratio"] = ratio
    if entity.bound_inputs:
        settings["bound"] = ", ".join(sorted(entity.bound_inputs))


def _add_plan(settings: dict[str, Setting], plan: LaunchPlan) -> None:
    fixed, saved = plan_inputs(plan)
    defaults = {k: v for k, v in saved.items() if k not in fixed and v is not None}
    for key, values in (("fixed", fixed), ("defaults", defaults)):
        if values:
            settings[key] = ", ".join(f"{k}={brief(v, SHORT)}" for k, v in values.items())
    cron = getattr(plan.schedule, "cron_schedule", None)
    expression = getattr(cron, "schedule", None) or getattr(plan.schedule, "cron_expression", None)
    if expression:
        settings["schedule"] = str(expression)


def _add_task(settings: dict[str, Setting], task: Task) -> None:
    if is_map(task):
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
    runs = map_target(task) if is_map(task) else task
    if isinstance(runs, CellTask):
        settings["language"] = runs.language
        del settings["task_type"]
    image = private.container_image(runs) if isinstance(runs, ContainerTask) else getattr(runs, "container_image", None)
    if image is not None:
        settings["image"] = name_image(image)
    add_resources(settings, getattr(runs, "resources", None))


def name_image(image: Any) -> str:
    """Return the tag of an image, or the name of its ImageSpec, without its hash, which takes reading its files."""
    if isinstance(image, str):
        return image
    registry = getattr(image, "registry", None)
    return f"{registry}/{image.name}" if registry else str(image.name)


def add_resources(settings: dict[str, Setting], resources: Any) -> None:
    """Add cpu, mem, gpu and disk to the settings: the request, else the limit."""
    for key, attribute in (("cpu", "cpu"), ("mem", "mem"), ("gpu", "gpu"), ("disk", "ephemeral_storage")):
        for part in ("requests", "limits"):
            value = getattr(getattr(resources, part, None), attribute, None)
            if value is not None:
                settings[key] = value if isinstance(value, int | float | str) else str(value)
                break
