"""What a cluster refuses, or does otherwise than the notebook, found in the entities before anything is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from flytenb.bridge.crossing.literal_limits import INT
from flytenb.bridge.entities.interface import python_interface
from flytenb.bridge.entities.kind import inner_workflow, is_entity, is_map, kind_of, map_target, mock_of, short_name
from flytenb.bridge.execution.container_contract import as_container_input, as_container_output, is_pickled
from flytenb.bridge.type_engine.transformers import captured_log, literal_type_of
from flytenb.bridge.workflow.compiler import all_nodes
from flytenb.model import Kind
from flytenb.ship.finding import Finding
from flytenb.types.container_support import pickled_places
from flytenb.wording.quantities import count_text
from flytenb.wording.types import type_text
from flytenb.wording.values import brief

MOST_NODES = 100
"""Nodes of one workflow that a cluster registers by default (`registration.maxWorkflowNodes` of flyteadmin)."""

WITHOUT_POD = {
    Kind.EAGER: "it starts executions on a cluster; what it called was run",
    Kind.CONNECTOR: "a service runs it, by a connector of the cluster",
}
"""Tasks whose pods need a cluster, or that have none."""


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
    entities = entities_of(roots)
    for entity in entities:
        for rule in (_too_many_nodes, _same_node_names, _replaced, _pickled, _of_containers, _wide_defaults):
            yield from rule(entity)
    yield from _same_names(entities)


def _too_many_nodes(entity: Any) -> Iterator[Finding]:
    inner = inner_workflow(entity)
    if inner is not None and inner is entity and (count := len(inner.nodes)) > MOST_NODES:
        what = f"it has {count} nodes, and a cluster registers at most {MOST_NODES} by default"
        yield Finding(what, f"workflow {short_name(entity)}", "use map_task, a dynamic or subworkflows")


def _same_node_names(entity: Any) -> Iterator[Finding]:
    """The compiler of a cluster keeps the first node of a name and drops the others."""
    inner = inner_workflow(entity)
    if inner is not None and inner is entity:
        for name, count in Counter(node.id for node in inner.nodes).items():
            if count > 1:
                what = f"{count} nodes are named {name!r}, of which a cluster runs one"
                yield Finding(what, f"workflow {short_name(entity)}", "give each a node_name of its own")


def _replaced(entity: Any) -> Iterator[Finding]:
    if mock_of(entity) is not None:
        yield Finding("it is replaced by a mock here", f"task {short_name(entity)}", "leave the block of task_mock")


# --- types -----------------------------------------------------------------------------------------------------------


def _types_of(entity: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield each input and output: `input` or `output`, the name, the type."""
    interface = python_interface(entity)
    if interface is not None:
        yield from (("input", name, declared) for name, declared in interface.inputs.items())
        yield from (("output", name, declared) for name, declared in interface.outputs.items())


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


# --- numbers ---------------------------------------------------------------------------------------------------------


def _wide_defaults(entity: Any) -> Iterator[Finding]:
    """Compiling refuses such a constant; a default is converted when the entity is registered."""
    interface = python_interface(entity)
    for name, (_, default) in () if interface is None else interface.inputs_with_defaults.items():
        if type(default) is int and not INT.admits(default):
            what = f"the default of {name} is {brief(default)}, more than 64 bits"
            yield Finding(what, short_name(entity), "declare it as a str or float")


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
