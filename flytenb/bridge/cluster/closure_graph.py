"""Graphs of workflows as a cluster has compiled them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from flytekit.configuration import SERIALIZED_CONTEXT_ENV_VAR
from flytekit.models.types import LiteralType

from flytenb.bridge.cluster.remote_values import guess_type
from flytenb.bridge.entities.gate import GateFacts, question
from flytenb.bridge.type_engine.literal_data import literal_type_text
from flytenb.model import Edge, EdgeKind, Graph, Interface, Kind, Node, Port

_HIDDEN = ("start-node", "end-node")
_KINDS = {
    "dynamic-task": Kind.DYNAMIC,
    "raw-container": Kind.CONTAINER,
    "container_array": Kind.MAP,
    "snowflake": Kind.SQL,
    "bigquery_query_job_task": Kind.SQL,
}
"""The kinds of tasks by their types; others are plain ones."""
_GATES = {"approve": "approve", "signal": "input", "sleep": "sleep"}
_MAP_NAME = re.compile(r"map_(.+)_[0-9a-f]{32}-arraynode")
"""The name of a map task (`ArrayNodeMapTask`, flytekit 1.16.31), with that of its target."""
_OPERATORS = ("==", "!=", ">", ">=", "<", "<=")


def closure_graph(closure: Any, under: str = "") -> Graph:
    """Return the graph of flyteidl's `CompiledWorkflowClosure`, as the inside of the node at `under`."""
    return _Reader(closure).read(under)


def task_graph(template: Any) -> Graph:
    """Return the graph of flyteidl's template of a task that is executed alone: the node `n0`."""
    kind, interface, name = (
        _kind(template),
        _interface(template.interface),
        _short(template.id.name),
    )
    return Graph(name, kind, {"n0": Node("n0", kind, name, interface)}, (), interface)


def _kind(template: Any) -> Kind:
    if template.metadata.is_eager:
        return Kind.EAGER
    if any(each.key == SERIALIZED_CONTEXT_ENV_VAR for each in template.container.env):
        return Kind.DYNAMIC  # its pod makes a workflow, for which it needs the settings
    return _KINDS.get(template.type, Kind.TASK)


def graph_of_task(template: Any, path: str) -> Graph:
    """Return the graph of flyteidl's template of a task that an eager task has called: one node."""
    alone = task_graph(template)
    return replace(alone, nodes={path: replace(alone.nodes["n0"], path=path)})


def graph_of_workflow(closure: Any, path: str) -> Graph:
    """Return the graph of flyteidl's closure of a workflow that an eager task has called: one node with its inside."""
    inside = closure_graph(closure, path)
    node = Node(path, Kind.SUBWORKFLOW, inside.name, inside.interface)
    return Graph(inside.name, inside.kind, {path: node}).merged(inside, path)


def eager_paths(graph: Graph) -> dict[str, str]:
    """Return the names of the eager tasks in a graph, by path."""
    return {path: node.name for path, node in graph.nodes.items() if node.kind is Kind.EAGER}


def closure_names(closure: Any) -> dict[str, str]:
    """Return the name on the cluster of the entity of each node, by path."""
    reader = _Reader(closure)
    reader.read("")
    return reader.names


def closure_gates(closure: Any, under: str = "") -> dict[str, GateFacts]:
    """Return the gates that wait for an answer, by path; the type of an answer is the one that flytekit guesses."""
    reader = _Reader(closure)
    reader.read(under)
    return {path: facts for path, gate in reader.gates.items() if (facts := _gate_facts(gate)) is not None}


def _gate_facts(gate: Any) -> GateFacts | None:
    """Return the facts of flyteidl's gate, None for one that sleeps."""
    if gate.HasField("approve"):
        name = gate.approve.signal_id
        return GateFacts("approve", name, {}, 0.0, None, question(name, ""))
    if not gate.HasField("signal"):
        return None
    literal_type = LiteralType.from_flyte_idl(gate.signal.type)
    wanted = f"a value of type {literal_type_text(literal_type)}"
    name = gate.signal.signal_id
    outputs = {gate.signal.output_variable_name or "o0": guess_type(literal_type)}
    return GateFacts("input", name, outputs, 0.0, None, question(name, wanted))


class _Reader:
    def __init__(self, closure: Any) -> None:
        self._primary = closure.primary.template
        self._workflows = {_key(each.template.id): each.template for each in closure.sub_workflows}
        self._tasks = {_key(each.template.id): each.template for each in closure.tasks}
        self._plans = {_key(each.id): each for each in closure.launch_plans}
        self._nodes: dict[str, Node] = {}
        self._edges: list[Edge] = []
        self.names: dict[str, str] = {}
        self.gates: dict[str, Any] = {}

    def read(self, under: str) -> Graph:
        interface = _interface(self._primary.interface)
        self._add_workflow(self._primary, under, interface)
        children: dict[str, list[str]] = {}
        for path in self._nodes:
            children.setdefault(path.rpartition("/")[0], []).append(path)
        nodes = {p: replace(n, children=tuple(children.get(p, ()))) for p, n in self._nodes.items()}
        ordered = {(e.source, e.target) for e in self._edges if e.kind is EdgeKind.DATA}
        edges = (e for e in self._edges if e.kind is not EdgeKind.ORDER or (e.source, e.target) not in ordered)
        known = [e for e in edges if e.source in nodes and e.target in nodes]
        return Graph(_short(self._primary.id.name), Kind.SUBWORKFLOW, nodes, tuple(known), interface)

    def _add_workflow(self, template: Any, under: str, interface: Interface) -> None:
        prefix = f"{under}/" if under else ""
        ends = {"@inputs": Interface(outputs=interface.inputs), "@outputs": Interface(inputs=interface.outputs)}
        if interface.inputs:
            self._nodes[f"{prefix}@inputs"] = Node(f"{prefix}@inputs", Kind.INPUTS, "inputs", ends["@inputs"])
        for node in template.nodes:
            if node.id not in _HIDDEN:
                self._add_node(node, prefix, prefix, "")
        if template.HasField("failure_node"):
            self._add_node(template.failure_node, prefix, prefix, "")
        if interface.outputs:
            self._nodes[f"{prefix}@outputs"] = Node(f"{prefix}@outputs", Kind.OUTPUTS, "outputs", ends["@outputs"])
            self._bind(template.outputs, f"{prefix}@outputs", prefix)

    def _add_node(self, node: Any, prefix: str, level: str, parent: str) -> None:
        """Add a node and its inside.

        Args:
            node: flyteidl's node.
            prefix: what its own path starts with.
            level: what the paths of the nodes start with that its bindings name.
            parent: the id of the branch around it, which starts its own.
        """
        path = prefix + node.id.removeprefix(f"{parent}-" if parent else "")
        kind, name, interface, inside = self._entity(node)
        settings: dict[str, Any] = {}
        if kind is Kind.GATE:
            self.gates[path] = node.gate_node
            settings["gate"] = _GATES[node.gate_node.WhichOneof("condition") or "sleep"]
        self._nodes[path] = Node(path, kind, _short(name), interface, settings)
        self.names[path] = name
        self._bind(node.inputs, path, level)
        for source in node.upstream_node_ids:
            self._edges.append(Edge(level + source, path, EdgeKind.ORDER))
        if inside is not None:
            self._add_workflow(inside, path, interface)
        if kind is Kind.BRANCH:
            self._add_cases(node, path, level)

    def _entity(self, node: Any) -> tuple[Kind, str, Interface, Any]:
        """Return the kind, the name, the interface and the workflow inside of a node."""
        which = node.WhichOneof("target")
        if which == "task_node":
            task = self._tasks.get(_key(node.task_node.reference_id))
            name = node.task_node.reference_id.name
            if task is None:
                return Kind.TASK, name, Interface(), None
            return _kind(task), name, _interface(task.interface), None
        if which == "array_node":
            _, name, interface, _ = self._entity(node.array_node.node)
            return Kind.MAP, name, interface, None
        if which == "workflow_node" and node.workflow_node.HasField("launchplan_ref"):
            plan = self._plans.get(_key(node.workflow_node.launchplan_ref))
            interface = Interface()
            if plan is not None:
                inputs = {name: each.var for name, each in plan.closure.expected_inputs.parameters.items()}
                interface = Interface(_ports(inputs), _ports(plan.closure.expected_outputs.variables))
            return Kind.LAUNCH_PLAN, node.workflow_node.launchplan_ref.name, interface, None
        if which == "workflow_node":
            inside = self._workflows.get(_key(node.workflow_node.sub_workflow_ref))
            name = node.workflow_node.sub_workflow_ref.name
            return Kind.SUBWORKFLOW, name, Interface() if inside is None else _interface(inside.interface), inside
        if which == "gate_node":
            gate = node.gate_node
            outputs = {gate.signal.output_variable_name or "o0": gate.signal} if gate.HasField("signal") else {}
            interface = Interface(outputs=_ports(outputs))
            return Kind.GATE, gate.approve.signal_id or gate.signal.signal_id or "sleep", interface, None
        return Kind.BRANCH, node.metadata.name or node.id, Interface(), None

    def _add_cases(self, node: Any, path: str, level: str) -> None:
        for condition, then in _cases(node.branch_node.if_else):
            self._add_node(then, f"{path}/", level, node.id)
            target = f"{path}/{then.id.removeprefix(f'{node.id}-')}"
            self._edges.append(Edge(path, target, EdgeKind.CASE, label=condition))

    def _bind(self, bindings: Iterable[Any], path: str, level: str) -> None:
        for binding in bindings:
            for promise in _promises(binding.binding):
                source = f"{level}@inputs" if promise.node_id in ("", "start-node") else level + promise.node_id
                self._edges.append(Edge(source, path, output=promise.var, input=binding.var))


def _cases(block: Any) -> Iterator[tuple[str, Any]]:
    for case in (block.case, *block.other):
        yield _condition(case.condition), case.then_node
    if block.HasField("else_node"):
        yield "else", block.else_node


def _condition(expression: Any) -> str:
    if expression.HasField("conjunction"):
        both = expression.conjunction
        word = "or" if both.operator == 1 else "and"
        return f"{_condition(both.left_expression)} {word} {_condition(both.right_expression)}"
    one = expression.comparison
    return f"{_operand(one.left_value)} {_OPERATORS[one.operator]} {_operand(one.right_value)}"


def _operand(operand: Any) -> str:
    if operand.WhichOneof("val") == "var":
        return str(operand.var).rpartition(".")[2]
    primitive = operand.scalar.primitive if operand.HasField("scalar") else operand.primitive
    which = primitive.WhichOneof("value")
    return "None" if which is None else repr(getattr(primitive, which))


def _promises(data: Any) -> Iterator[Any]:
    which = data.WhichOneof("value")
    if which == "promise":
        yield data.promise
    elif which == "collection":
        for each in data.collection.bindings:
            yield from _promises(each)
    elif which == "map":
        for each in data.map.bindings.values():
            yield from _promises(each)


def _interface(typed: Any) -> Interface:
    return Interface(_ports(typed.inputs.variables), _ports(typed.outputs.variables))


def _ports(variables: Mapping[str, Any]) -> tuple[Port, ...]:
    return tuple(
        Port(name, literal_type_text(LiteralType.from_flyte_idl(each.type))) for name, each in sorted(variables.items())
    )


def _key(identifier: Any) -> tuple[str, str, str, str]:
    return identifier.project, identifier.domain, identifier.name, identifier.version


def _short(name: str) -> str:
    short = name.rpartition(".")[2] or name
    mapped = _MAP_NAME.fullmatch(short)
    return short if mapped is None else mapped[1]
