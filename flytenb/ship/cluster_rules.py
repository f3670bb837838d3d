"""What a cluster refuses, or does otherwise than the notebook, found in the entities before anything is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from flytenb.bridge.cluster.stored_constants import (
    LARGEST_MESSAGE,
    size_of_constants,
    stored_constants,
    unsendable_constants,
)
from flytenb.bridge.entities.interface import python_interface
from flytenb.bridge.entities.kind import (
    has_no_container,
    inner_workflow,
    is_entity,
    is_map,
    is_plan_of_mapped_container,
    is_reference,
    kind_of,
    map_target,
    mock_of,
    short_name,
    titled,
)
from flytenb.bridge.execution.container_contract import as_container_input, as_container_output, is_pickled
from flytenb.bridge.execution.container_resources import requests_over_limits
from flytenb.bridge.type_engine.transformers import captured_log, literal_type_of
from flytenb.bridge.workflow.compiler import all_nodes
from flytenb.model import Kind
from flytenb.reach.name_lookup import is_own
from flytenb.ship.finding import Finding
from flytenb.types.container_support import pickled_places
from flytenb.wording.quantities import bytes_text, count_text
from flytenb.wording.types import type_text

MOST_NODES = 100
"""Nodes of one workflow that a cluster registers by default (`registration.maxWorkflowNodes` of flyteadmin)."""

WITHOUT_POD = {
    Kind.CONNECTOR: "a service runs it, by a connector of the cluster",
}
"""Tasks that have no pod."""


def calls_in_pod(entity: Any) -> bool:
    """Whether the pod of a task starts executions of what its function calls, and waits for them."""
    return kind_of(entity) is Kind.EAGER


def entities_of(roots: Iterable[Any]) -> list[Any]:
    """Return entities and those that their workflows use, each once."""
    found: dict[int, Any] = {}
    todo = list(roots)
    while todo:
        entity = todo.pop()
        if not is_entity(entity) or id(entity) in found:
            continue
        found[id(entity)] = entity
        inner = inner_workflow(entity)
        if is_map(entity):
            todo.append(map_target(entity))
        elif inner is not None:
            todo += [inner, *(node.flyte_entity for node in all_nodes(inner))]
    return list(found.values())


def find_surprises(roots: Sequence[Any]) -> Iterator[Finding]:
    """Yield what is found in entities and in those that they use."""
    entities = [entity for entity in entities_of(roots) if not is_reference(entity)]  # the cluster has what these name
    for entity in entities:
        for rule in _RULES:
            yield from rule(entity)
    yield from _same_names(entities)


def _too_many_nodes(entity: Any) -> Iterator[Finding]:
    inner = inner_workflow(entity)
    if inner is not None and inner is entity and (count := len(inner.nodes)) > MOST_NODES:
        what = f"it has {count} nodes, and a cluster registers at most {MOST_NODES} by default"
        yield Finding(what, titled(entity), "use map_task, a dynamic or subworkflows")


def _same_node_names(entity: Any) -> Iterator[Finding]:
    """The compiler of a cluster keeps the first node of a name and drops the others."""
    inner = inner_workflow(entity)
    if inner is not None and inner is entity:
        for name, count in Counter(node.id for node in inner.nodes).items():
            if count > 1:
                what = f"{count} nodes are named {name!r}, of which a cluster runs one"
                yield Finding(what, titled(entity), "give each a node_name of its own")


def _replaced(entity: Any) -> Iterator[Finding]:
    if mock_of(entity) is not None:
        yield Finding(
            "it is replaced by a mock here", titled(entity), "leave the block that replaces it: task_mock, patch"
        )


def _mapped_plan(entity: Any) -> Iterator[Finding]:
    if is_map(entity) and kind_of(map_target(entity)) is Kind.LAUNCH_PLAN:
        is_container = is_plan_of_mapped_container(map_target(entity))
        what = f"a cluster registers no map of a {'container' if is_container else 'launch plan'}"
        yield Finding(what, titled(entity), "call it in a dynamic task, in a loop")


def _in_image(entity: Any) -> Iterator[Finding]:
    """The pod of a pre-built container plugin has the code of its image, and not what is registered."""
    executor = getattr(entity, "executor_type", None)
    if isinstance(executor, type) and is_own(executor):
        what = f"its pod imports {executor.__name__} from its image, and not from the module"
        hint = "define the class in a package that the image has, or write it as a task"
        yield Finding(what, titled(entity), hint)


def _of_service(entity: Any) -> Iterator[Finding]:
    """A cluster runs a task without a container by a plugin or connector that its operator has installed."""
    if has_no_container(entity):
        what = f"it has no container, so the cluster needs a plugin or connector for the type {entity.task_type!r}"
        hint = "ask who runs the cluster, or run it here beside nodes there: %flyte run … --on cluster"
        yield Finding(what, titled(entity), hint, "warning")


def _more_than_limits(entity: Any) -> Iterator[Finding]:
    """A cluster refuses such a task when it is registered."""
    for name, asked, limit in requests_over_limits(entity):
        what = f"it requests {asked} of {name}, and its limit is {limit}"
        yield Finding(what, titled(entity), "raise the limit, or request less")


def _unbound_schedule(entity: Any) -> Iterator[Finding]:
    """A cluster refuses a launch plan that its schedule can't start."""
    schedule = getattr(entity, "schedule", None) if _resource(entity) == "launch plan" else None
    if schedule is None:
        return
    where, time_input = titled(entity), schedule.kickoff_time_input_arg
    free = entity.parameters.parameters
    for name, parameter in free.items():
        if parameter.required and name != time_input:
            hint = "set it: LaunchPlan.get_or_create(…, fixed_inputs={…}), or give it a default"
            yield Finding(f"its schedule starts it without a value for {name}", where, hint)
    if time_input and time_input not in free:
        hint = "name an input of type datetime that isn't fixed"
        yield Finding(f"its schedule gives its time to {time_input!r}, which isn't an input that is free", where, hint)
    elif time_input and (declared := dict(_inputs_of(entity))[time_input]) is not datetime:
        what = f"its schedule gives its time to {time_input}, which is {type_text(declared)}"
        yield Finding(what, where, "declare it as a datetime")


# --- constants --------------------------------------------------------------------------------------------------------


def _stored_here(entity: Any) -> Iterator[Finding]:
    for name in stored_constants(entity):
        what = f"{name} is a file, a frame or a pickled object that is stored on this machine, where no pod can read it"
        yield Finding(what, titled(entity), "make it in a task, or pass it as an input when the workflow is launched")


def _large_constants(entity: Any) -> Iterator[Finding]:
    if inner_workflow(entity) is not None and (size := size_of_constants(entity)) > LARGEST_MESSAGE:
        what = f"its constants have {bytes_text(size)}, and a cluster takes {bytes_text(LARGEST_MESSAGE)} by default"
        yield Finding(what, titled(entity), "pass a file, or make them in a task")


def _unsendable(entity: Any) -> Iterator[Finding]:
    """Compiling refuses most of such constants; the others are converted when the entity is registered."""
    for name, why in unsendable_constants(entity):
        is_wide = "out of range" in why
        hint = "an int has at most 64 bits: declare it as a str or float" if is_wide else "give a value of its type"
        yield Finding(f"{name} can't be sent: {why}", titled(entity), hint)


# --- types -----------------------------------------------------------------------------------------------------------


def _types_of(entity: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield each input and output: `input` or `output`, the name, the type."""
    interface = python_interface(entity)
    if interface is not None:
        yield from (("input", name, declared) for name, declared in interface.inputs.items())
        yield from (("output", name, declared) for name, declared in interface.outputs.items())


def _inputs_of(entity: Any) -> Iterator[tuple[str, Any]]:
    yield from ((name, declared) for side, name, declared in _types_of(entity) if side == "input")


def _pickled(entity: Any) -> Iterator[Finding]:
    for side, name, declared in _types_of(entity):
        if side == "output" and inner_workflow(entity) is not None:  # it is that of a task
            continue
        with captured_log():
            literal_type = literal_type_of(declared)
        if pickled_places(literal_type):
            what = f"{side} {name} of type {type_text(declared)} is pickled, and read only by the same Python and code"
            hint = "declare a type that Flyte knows, such as a dataclass, or register a transformer"
            yield Finding(what, short_name(entity), hint, "warning")


def _of_containers(entity: Any) -> Iterator[Finding]:
    if kind_of(entity) is not Kind.CONTAINER:
        return
    for side, name, declared in _types_of(entity):
        with captured_log():
            literal_type = literal_type_of(declared)
        support = (as_container_input if side == "input" else as_container_output)(literal_type)
        if not support.is_supported and not is_pickled(literal_type):
            hint = "use a simple type, FlyteFile or a flat FlyteDirectory"
            yield Finding(f"{side} {name} of type {type_text(declared)}: {support.how}", short_name(entity), hint)


# --- names -----------------------------------------------------------------------------------------------------------


def _same_names(entities: Iterable[Any]) -> Iterator[Finding]:
    """Yield names that several entities of one kind would be registered by."""
    named: Mapping[tuple[str, str], int] = Counter(
        (_resource(entity), str(entity.name)) for entity in entities if not is_map(entity)
    )
    for (kind, name), count in named.items():
        if count > 1:
            yield Finding(f"{count_text(count, kind)} are named {name!r}", name, "give each a name of its own")


def _resource(entity: Any) -> str:
    kind = kind_of(entity)
    if inner_workflow(entity) is None:
        return "task"
    return "launch plan" if kind is Kind.LAUNCH_PLAN else "workflow"


_RULES = (
    *(
        _too_many_nodes,
        _same_node_names,
        _replaced,
        _mapped_plan,
        _in_image,
        _of_service,
        _more_than_limits,
        _unbound_schedule,
    ),
    *(_stored_here, _large_constants, _unsendable, _pickled, _of_containers),
)
