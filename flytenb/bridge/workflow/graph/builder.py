"""`Workflow` values as graphs, to any depth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

from flytekit.core.workflow import WorkflowBase

from flytenb.bridge.entities.interface import (
    inner_workflow,
    is_error_type,
    is_map,
    kind_of,
    map_target,
    plan_inputs,
    read_interface,
    read_settings,
    require_entity,
    short_name,
)
from flytenb.bridge.workflow.graph.branches import draw_cases, name_operands, operand_promises
from flytenb.bridge.workflow.graph.entity_facts import EntityFacts
from flytenb.bridge.workflow.graph.fills import Fill, name_output, read_fills
from flytenb.bridge.workflow.graph.node_settings import node_settings
from flytenb.bridge.workflow.node_paths import unique
from flytenb.bridge.workflow.reader import read_built, read_workflow
from flytenb.model import Edge, EdgeKind, Graph, Interface, Kind, Node, Port
from flytenb.model.node import Setting
from flytenb.model.workflow import Binding, DictBinding, ListBinding, Promise, Workflow, WorkflowNode
from flytenb.wording.kinds import entity_text

Insides = Mapping[int, tuple[WorkflowBase, Workflow]]
"""Workflows and their readings, by the id of the workflow."""


def read_graph(entity: Any, insides: Insides = MappingProxyType({})) -> Graph:
    """Return the graph of an entity; one without a workflow inside becomes one node `n0` between its ports.

    A workflow is compiled if it isn't yet, on the calling thread.

    Args:
        entity: the entity.
        insides: the workflows that are read already.

    Raises:
        NotAnEntityError: if the object isn't an entity.
        Exception: whatever the workflow's own code raises while it compiles.
    """
    require_entity(entity)
    kind = kind_of(entity)
    workflow = None if kind in (Kind.MAP, Kind.STUB) else inner_workflow(entity)
    builder = _Builder(read_interface(entity).inputs, insides)
    if workflow is None:
        builder.add_single(entity, kind)
    else:
        builder.add_workflow(workflow, builder.read(workflow, ""), "", plan_inputs(entity).fixed)
    return builder.build(short_name(entity), kind, read_interface(entity), read_settings(entity))


def hold_graph(entity: Any) -> Callable[[], Graph]:
    """Return a function that reads the present graph of an entity, also after its workflows are compiled again."""
    insides: dict[int, tuple[WorkflowBase, Workflow]] = {}
    todo = [EntityFacts(entity).inner]
    while todo:
        workflow = todo.pop()
        if workflow is None or id(workflow) in insides:
            continue
        read = read_workflow(workflow)
        insides[id(workflow)] = workflow, read
        nodes = [*read.walk(), *([] if read.failure is None else [read.failure])]
        todo += [EntityFacts(node.entity).inner for node in nodes if node.kind is not Kind.BRANCH]
    return partial(read_graph, entity, insides)


def read_inner(workflow: WorkflowBase, under: str) -> Graph:
    """Return the graph of what a dynamic task built at run time, as the inside of the node at `under`."""
    return to_graph(workflow, read_built(workflow, under), under)


def to_graph(entity: WorkflowBase, workflow: Workflow, under: str) -> Graph:
    """Return the graph of a workflow that was built at run time, as the inside of the node at `under`.

    Every path starts with `under/`. The workflow's inputs are values by then, so there is an `@inputs` only if
    something still takes from it.

    Args:
        entity: flytekit's workflow.
        workflow: its reading at `under`.
        under: the path of the node around it.
    """
    builder = _Builder()
    builder.add_workflow(entity, workflow, under, has_inputs=_takes_inputs(workflow, f"{under}/@inputs"))
    return builder.build(short_name(entity), kind_of(entity), read_interface(entity), {})


def graph_of_call(entity: Any, path: str) -> Graph:
    """Return the graph of an entity that was called at run time: one node at `path`, with its inside."""
    kind = kind_of(entity)
    node = Node(path, kind, short_name(entity), read_interface(entity), read_settings(entity))
    graph = Graph(node.name, kind, {path: node})
    workflow = None if kind in (Kind.MAP, Kind.STUB) else inner_workflow(entity)
    return graph if workflow is None else graph.merged(to_graph(workflow, read_workflow(workflow, path), path), path)


class _Builder:
    """Collects the nodes and edges of one graph."""

    def __init__(self, inputs: Sequence[Port] = (), insides: Insides = MappingProxyType({})) -> None:
        self._insides = insides
        self._defaults = {port.name: port.default for port in inputs}
        self._nodes: dict[str, Node] = {}
        self._edges: list[Edge] = []
        self._sources: defaultdict[str, set[str]] = defaultdict(set)
        self._open: list[WorkflowBase] = []
        self._facts: dict[int, EntityFacts] = {}
        self._settings: dict[tuple[object, ...], dict[str, Setting]] = {}

    def read(self, workflow: WorkflowBase, path: str) -> Workflow:
        """Return the reading of a workflow as the inside of the node at `path`."""
        found = self._insides.get(id(workflow))
        return read_workflow(workflow, path) if found is None else found[1].at(path)

    def build(self, name: str, kind: Kind, interface: Interface, settings: dict[str, Any]) -> Graph:
        """Return the graph; only now are the children of each node known."""
        children: dict[str, list[str]] = {}
        for path in self._nodes:
            children.setdefault(path.rpartition("/")[0], []).append(path)
        nodes = {p: replace(n, children=tuple(children[p])) if p in children else n for p, n in self._nodes.items()}
        return Graph(name, kind, nodes, tuple(self._edges), interface, settings)

    def add_single(self, entity: Any, kind: Kind) -> None:
        """Add an entity without a workflow of its own as one node between its ports."""
        facts = self._facts_of(entity)
        self._add_ports("@inputs", facts.interface.inputs)
        for port in facts.interface.inputs:
            self._add_edge(Edge("@inputs", "n0", output=port.name, input=port.name))
        self._add_entity("n0", kind, short_name(entity), facts, dict(facts.settings))
        for port in facts.interface.outputs:
            self._add_edge(Edge("n0", "@outputs", output=port.name, input=port.name))
        self._add_ports("@outputs", facts.interface.outputs)

    def add_workflow(
        self,
        entity: WorkflowBase,
        workflow: Workflow,
        under: str,
        fixed: Mapping[str, Any] | None = None,
        *,
        has_inputs: bool = True,
    ) -> None:
        """Add the inside of the node at `under`.

        Args:
            entity: flytekit's workflow.
            workflow: its reading at `under`.
            under: the path of the node around it, `""` at the top.
            fixed: inputs that no binding fills, since a launch plan has fixed them.
            has_inputs: whether anything takes from the workflow's inputs.
        """
        prefix = f"{under}/" if under else ""
        interface = self._facts_of(entity).interface
        if has_inputs:
            self._add_ports(f"{prefix}@inputs", interface.inputs)
        self._open.append(entity)
        for name, value in (fixed or {}).items():
            self._add_constant(f"{prefix}@inputs", Fill(name, None, value=value))
        nodes = {node.path: node for node in workflow.walk()}
        inputs = {port.name: port.type for port in interface.inputs}
        for node in workflow.nodes:
            self._add_node(node, nodes, inputs)
        if workflow.failure is not None:
            self._add_handler(workflow.failure)
        self._open.pop()
        self._add_ports(f"{prefix}@outputs", interface.outputs)
        self._bind(workflow.outputs, entity.python_interface.outputs, f"{prefix}@outputs")

    def _add_node(self, node: WorkflowNode, nodes: Mapping[str, WorkflowNode], inputs: Mapping[str, str]) -> None:
        if node.kind is Kind.BRANCH:
            self._add_branch(node, nodes, inputs)
        else:
            facts = self._facts_of(node.entity)
            self._bind(node.bindings, facts.types, node.path)
            self._add_entity(node.path, node.kind, node.name, facts, self._settings_of(node, facts))
        for source in node.upstream:
            if source not in self._sources[node.path]:
                self._add_edge(Edge(source, node.path, EdgeKind.ORDER))

    def _settings_of(self, node: WorkflowNode, facts: EntityFacts) -> dict[str, Setting]:
        """Return the settings of a node; those of all nodes of an entity without overrides are one object."""
        if node.overrides:
            return node_settings(node, facts.settings)
        key = id(facts), node.kind, id(node.policy)
        found = self._settings.get(key)
        if found is None:
            found = self._settings[key] = node_settings(node, facts.settings)
        return found

    def _add_handler(self, node: WorkflowNode) -> None:
        """Add the failure handler; the error that it takes comes from no node."""
        facts = self._facts_of(node.entity)
        bindings = {name: b for name, b in node.bindings.items() if not is_error_type(facts.types.get(name))}
        self._bind(bindings, facts.types, node.path)
        own = {**facts.settings, "of": entity_text(node.kind)}
        self._add_entity(node.path, Kind.FAILURE, node.name, facts, node_settings(node, own))

    def _add_branch(self, node: WorkflowNode, nodes: Mapping[str, WorkflowNode], inputs: Mapping[str, str]) -> None:
        operands = name_operands(node, nodes)
        ports = []
        for variable, promise in operand_promises(node):
            source, place = nodes.get(promise.path), operands[variable]
            types = inputs if source is None else self._output_types(source, nodes)
            ports.append(Port(place, "" if promise.attributes else types.get(promise.output, "")))
            output = name_output(promise.output, promise.attributes)
            self._add_edge(Edge(promise.path, node.path, EdgeKind.DATA, output, place))
        outputs = tuple(Port(name, text) for name, text in self._output_types(node, nodes).items())
        interface = Interface(tuple(ports), outputs)
        self._nodes[node.path] = Node(node.path, Kind.BRANCH, node.name, interface, node_settings(node, {}))
        for case in node.cases:
            for inside in case.nodes:
                self._add_node(inside, nodes, inputs)
        case_nodes, edges = draw_cases(node, operands)
        self._nodes.update((n.path, n) for n in case_nodes)
        for edge in edges:
            self._add_edge(edge)

    def _output_types(self, node: WorkflowNode, nodes: Mapping[str, WorkflowNode]) -> dict[str, str]:
        """Return the types of a node's outputs as text; of a branch, its first case's types."""
        if node.kind is not Kind.BRANCH:
            return {port.name: port.type for port in self._facts_of(node.entity).interface.outputs}
        if not node.outputs:
            return {}
        first = next(nodes[case.then] for case in node.cases if case.then is not None and case.then in nodes)
        types = self._output_types(first, nodes)
        return {name: types[name] for name in node.outputs}

    def _facts_of(self, entity: Any) -> EntityFacts:
        found = self._facts.get(id(entity))
        if found is None:
            found = self._facts[id(entity)] = EntityFacts(entity)
        return found

    def _bind(self, bindings: Mapping[str, Binding], types: Mapping[str, Any], path: str) -> None:
        for place, binding in bindings.items():
            if isinstance(binding, Promise) and not binding.attributes:  # most are
                self._add_edge(Edge(binding.path, path, EdgeKind.DATA, binding.output, place))
                continue
            for fill in read_fills(place, binding, types.get(place)):
                if fill.source is None:
                    self._add_constant(path, fill)
                else:
                    self._add_edge(Edge(fill.source, path, EdgeKind.DATA, fill.output, fill.place))

    def _add_constant(self, path: str, fill: Fill) -> None:
        """Add a constant next to the node that takes it; a slash in a key would look like a level of the path."""
        parent, _, node_id = path.rpartition("/")
        own_id = f"@{node_id.removeprefix('@')}.{fill.place}".replace("/", "∕")
        constant = unique(f"{parent}/{own_id}" if parent else own_id, self._nodes)
        settings = {"value": fill.text} if fill.text != fill.short else {}
        self._nodes[constant] = Node(constant, Kind.CONSTANT, fill.short, settings=settings)
        self._add_edge(Edge(constant, path, EdgeKind.DATA, "", fill.place))

    def _add_edge(self, edge: Edge) -> None:
        self._edges.append(edge)
        self._sources[edge.target].add(edge.source)

    def _add_entity(self, path: str, kind: Kind, name: str, facts: EntityFacts, settings: dict[str, Setting]) -> None:
        """Add a node of an entity and its inside; a workflow that calls itself, which a cluster refuses, ends there."""
        inner = facts.inner
        is_recursive = inner is not None and any(inner is w for w in self._open)
        if is_recursive:
            settings = {**settings, "recursive": True}
        self._nodes[path] = Node(path, kind, name, facts.interface, settings)
        if inner is not None and not is_recursive:
            fixed = plan_inputs(map_target(facts.entity)).fixed if is_map(facts.entity) else None
            self.add_workflow(inner, self.read(inner, path), path, fixed)

    def _add_ports(self, path: str, ports: Sequence[Port]) -> None:
        if not ports:
            return
        if path.endswith("@inputs"):
            if "/" in path:  # inside, every input is bound, if only to its default
                ports = [replace(p, default=None) for p in ports]
            else:  # a launch plan has defaults of its own
                ports = [replace(p, default=self._defaults.get(p.name, p.default)) for p in ports]
            self._nodes[path] = Node(path, Kind.INPUTS, "inputs", Interface(outputs=tuple(ports)))
        else:
            self._nodes[path] = Node(path, Kind.OUTPUTS, "outputs", Interface(inputs=tuple(ports)))


def _takes_inputs(workflow: Workflow, inputs: str) -> bool:
    """Whether anything still takes from the workflow's inputs, whose path is `inputs`."""
    bindings = [b for node in workflow.walk() for b in node.bindings.values()]
    return any(source == inputs for b in (*bindings, *workflow.outputs.values()) for source in _sources(b))


def _sources(binding: Binding) -> Iterator[str]:
    if isinstance(binding, Promise):
        yield binding.path
    elif isinstance(binding, ListBinding | DictBinding):
        items = binding.items if isinstance(binding, ListBinding) else binding.items.values()
        for item in items:
            yield from _sources(item)
