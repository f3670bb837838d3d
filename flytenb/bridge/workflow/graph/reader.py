"""Read a compiled workflow into a `Graph`, one node of flytekit after the other, to any depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flytekit.core.condition import BranchNode
from flytekit.core.node import Node as FlyteNode
from flytekit.core.workflow import PythonFunctionWorkflow, WorkflowBase

from flytenb.bridge.entities.interface import (
    KIND_WORDS,
    inner_workflow,
    is_error_type,
    is_map,
    is_stub,
    kind_of,
    map_target,
    plan_inputs,
    read_interface,
    read_settings,
    require_entity,
    short_name,
)
from flytenb.bridge.workflow.graph.bindings import Fill, read_fills
from flytenb.bridge.workflow.graph.branches import common_outputs, draw_cases, name_operands
from flytenb.bridge.workflow.graph.facts import Facts
from flytenb.bridge.workflow.graph.overrides import add_overrides
from flytenb.bridge.workflow.node_paths import Scope, cases_of, name_nodes, ordered, promised_nodes, sources_of, unique
from flytenb.model import Edge, EdgeKind, Graph, Interface, Kind, Node, Port
from flytenb.model.node import Setting


def read_graph(entity: Any) -> Graph:
    """Read an entity into a graph; one without a workflow inside becomes one node `n0` between its ports.

    A workflow is compiled if it isn't yet, on the calling thread.

    Raises:
        NotAnEntityError: if the object is no entity.
        Exception: whatever the workflow's own code raises while it compiles.
    """
    require_entity(entity)
    kind = kind_of(entity)
    reader = _Reader(read_interface(entity).inputs)
    workflow = None if kind in (Kind.MAP, Kind.STUB) else inner_workflow(entity)
    if workflow is None:
        reader.read_single(entity)
    else:
        reader.read_workflow(workflow, "", plan_inputs(entity).fixed)
    return reader.build(short_name(entity), kind, read_interface(entity), read_settings(entity))


def read_inner(workflow: WorkflowBase, under: str) -> Graph:
    """Read what a dynamic task compiled at run time, as the inside of the node at `under`.

    Every path starts with `under/`. Its inputs are values by then, so there is an `@inputs` only if something still
    takes from it.
    """
    reader = _Reader()
    reader.read_workflow(workflow, under, is_run=True)
    return reader.build(short_name(workflow), kind_of(workflow), read_interface(workflow), {})


class _Reader:
    """Collects the nodes and edges of one graph; knows nothing of how they look."""

    def __init__(self, inputs: Sequence[Port] = ()) -> None:
        self._defaults = {port.name: port.default for port in inputs}
        self._nodes: dict[str, Node] = {}
        self._edges: list[Edge] = []
        self._sources: dict[str, set[str]] = {}
        self._open: list[WorkflowBase] = []
        self._facts: dict[int, Facts] = {}

    def build(self, name: str, kind: Kind, interface: Interface, settings: dict[str, Any]) -> Graph:
        """Return what was read; only now is it known what stands inside each node."""
        children: dict[str, list[str]] = {}
        for path in self._nodes:
            children.setdefault(path.rpartition("/")[0], []).append(path)
        nodes = {p: replace(n, children=tuple(children[p])) if p in children else n for p, n in self._nodes.items()}
        return Graph(name, kind, nodes, tuple(self._edges), interface, settings)

    def read_single(self, entity: Any) -> None:
        """Read an entity without a workflow of its own as one node between its ports."""
        interface = self._facts_of(entity).interface
        self._add_door("@inputs", interface.inputs)
        for port in interface.inputs:
            self._add_edge(Edge("@inputs", "n0", output=port.name, input=port.name))
        facts = self._facts_of(entity)
        self._add_node("n0", facts, facts.kind, dict(facts.settings))
        for port in interface.outputs:
            self._add_edge(Edge("n0", "@outputs", output=port.name, input=port.name))
        self._add_door("@outputs", interface.outputs)

    def read_workflow(
        self, workflow: WorkflowBase, under: str, fixed: Mapping[str, Any] | None = None, *, is_run: bool = False
    ) -> None:
        """Read a workflow that stands at `under`.

        Args:
            workflow: the workflow
            under: the path of its node, `""` at the top
            fixed: inputs that no binding fills, since a launch plan around the workflow has fixed them
            is_run: whether its inputs are values by now
        """
        prefix = f"{under}/" if under else ""
        interface = self._facts_of(workflow).interface
        if is_stub(workflow):
            self._add_door(f"{prefix}@inputs", interface.inputs)
            self._add_door(f"{prefix}@outputs", interface.outputs)
            return
        if not is_run and isinstance(workflow, PythonFunctionWorkflow):
            from flytenb.bridge.workflow.compiler import ensure_compiled  # late: its checks walk the paths of this room

            ensure_compiled(workflow)
        outputs = list(workflow.output_bindings)
        scope = name_nodes(workflow.nodes, outputs, under)
        if not is_run or _takes_inputs(scope, outputs):
            self._add_door(f"{prefix}@inputs", interface.inputs)
        self._open.append(workflow)
        for name, value in (fixed or {}).items():
            self._add_constant(f"{prefix}@inputs", Fill(name, None, value=value))
        for node in scope.levels[prefix]:
            self._read_node(node, scope)
        self._read_failure(workflow, scope)
        self._open.pop()
        self._add_door(f"{prefix}@outputs", interface.outputs)
        self._bind(outputs, workflow.python_interface.outputs, f"{prefix}@outputs", scope)

    def _read_node(self, node: FlyteNode, scope: Scope) -> None:
        path = scope.paths[id(node)]
        if isinstance(node.flyte_entity, BranchNode):
            self._read_branch(node, node.flyte_entity, path, scope)
        else:
            facts = self._facts_of(node.flyte_entity)
            self._read_entity(node, path, scope, facts.kind, facts.settings)
        known = self._sources.get(path, set())
        for source in ordered(node.upstream_nodes):
            if source.id and scope.path_of(source) not in known:
                self._add_edge(Edge(scope.path_of(source), path, EdgeKind.ORDER))

    def _read_entity(self, node: FlyteNode, path: str, scope: Scope, kind: Kind, own: Mapping[str, Setting]) -> None:
        facts = self._facts_of(node.flyte_entity)
        settings = dict(own)
        add_overrides(settings, node, facts.node_name)
        bindings = node.bindings
        if kind is Kind.FAILURE:
            bindings = [b for b in bindings if not is_error_type(facts.types.get(b.var))]
        self._bind(bindings, facts.types, path, scope)
        self._add_node(path, facts, kind, settings)

    def _read_failure(self, workflow: WorkflowBase, scope: Scope) -> None:
        node = workflow.failure_node
        if node is None:
            return
        facts = self._facts_of(node.flyte_entity)
        settings = {**facts.settings, "of": KIND_WORDS.get(facts.kind, facts.kind.value)}
        path = unique(f"{scope.prefix}{node.id}", scope.taken)
        self._read_entity(node, path, scope, Kind.FAILURE, settings)

    def _read_branch(self, node: FlyteNode, branch: BranchNode, path: str, scope: Scope) -> None:
        operands = name_operands(node, scope)
        ports = []
        for binding in node.bindings:
            ref, place = binding.binding.promise, operands[binding.var]
            ports.append(Port(place, self._type_of(ref.node, ref.var) if not ref.attr_path else ""))
            (fill,) = read_fills(place, binding.binding, None)
            self._add_fill(path, fill, scope)
        settings: dict[str, Any] = {}
        add_overrides(settings, node, branch.name)
        cases = cases_of(branch)
        interface = Interface(tuple(ports), common_outputs(cases, self._outputs_of))
        self._nodes[path] = Node(path, Kind.BRANCH, branch.name, interface, settings)
        for inside in scope.levels.get(f"{path}/", ()):
            self._read_node(inside, scope)
        nodes, edges = draw_cases(cases, path, scope, operands)
        self._nodes.update((n.path, n) for n in nodes)
        for edge in edges:
            self._add_edge(edge)

    def _outputs_of(self, node: FlyteNode) -> Sequence[Port]:
        entity = node.flyte_entity
        if isinstance(entity, BranchNode):
            return common_outputs(cases_of(entity), self._outputs_of)
        return self._facts_of(entity).interface.outputs

    def _type_of(self, node: FlyteNode, output: str) -> str:
        """The type of one output; the start node's outputs are the inputs of the workflow that is being read."""
        ports = (
            self._outputs_of(node) if node.flyte_entity is not None else self._facts_of(self._open[-1]).interface.inputs
        )
        return next((p.type for p in ports if p.name == output), "")

    def _facts_of(self, entity: Any) -> Facts:
        found = self._facts.get(id(entity))
        if found is None:
            found = self._facts[id(entity)] = Facts(entity)
        return found

    def _bind(self, bindings: Sequence[Any], types: Mapping[str, Any], path: str, scope: Scope) -> None:
        for binding in bindings:
            data, place = binding.binding, binding.var
            if data.promise is not None and not data.promise.attr_path:  # nearly all are that
                self._add_edge(Edge(scope.path_of(data.promise.node), path, EdgeKind.DATA, data.promise.var, place))
                continue
            for fill in read_fills(place, data, types.get(place)):
                self._add_fill(path, fill, scope)

    def _add_fill(self, path: str, fill: Fill, scope: Scope) -> None:
        if fill.source is None:
            self._add_constant(path, fill)
        else:
            self._add_edge(Edge(scope.path_of(fill.source), path, EdgeKind.DATA, fill.output, fill.place))

    def _add_constant(self, path: str, fill: Fill) -> None:
        """Put a constant beside the node that takes it; a slash in a key would look like a level of the path."""
        parent, _, node_id = path.rpartition("/")
        own_id = f"@{node_id.removeprefix('@')}.{fill.place}".replace("/", "∕")
        constant = unique(f"{parent}/{own_id}" if parent else own_id, self._nodes)
        settings = {"value": fill.text} if fill.text != fill.short else {}
        self._nodes[constant] = Node(constant, Kind.CONSTANT, fill.short, settings=settings)
        self._add_edge(Edge(constant, path, EdgeKind.DATA, "", fill.place))

    def _add_edge(self, edge: Edge) -> None:
        self._edges.append(edge)
        self._sources.setdefault(edge.target, set()).add(edge.source)

    def _add_node(self, path: str, facts: Facts, kind: Kind, settings: dict[str, Setting]) -> None:
        inner = facts.inner
        is_recursive = inner is not None and any(inner is w for w in self._open)
        if is_recursive:
            settings["recursive"] = True  # a workflow that calls itself: a cluster refuses it, a reading must end
        self._nodes[path] = Node(path, kind, facts.name, facts.interface, settings)
        if inner is not None and not is_recursive:
            fixed = plan_inputs(map_target(facts.entity)).fixed if is_map(facts.entity) else None
            self.read_workflow(inner, path, fixed)

    def _add_door(self, path: str, ports: Sequence[Port]) -> None:
        if not ports:
            return
        if path.endswith("@inputs"):
            if "/" in path:  # inside, every input is bound, to the default if to nothing else
                ports = [replace(p, default=None) for p in ports]
            else:  # a launch plan has defaults of its own
                ports = [replace(p, default=self._defaults.get(p.name, p.default)) for p in ports]
            self._nodes[path] = Node(path, Kind.INPUTS, "inputs", Interface(outputs=tuple(ports)))
        else:
            self._nodes[path] = Node(path, Kind.OUTPUTS, "outputs", Interface(inputs=tuple(ports)))


def _takes_inputs(scope: Scope, outputs: Sequence[Any]) -> bool:
    """Whether anything still takes from the workflow's own inputs."""
    nodes = [n for level in scope.levels.values() for n in level]
    sources = [s for n in nodes for s in sources_of(n)]
    sources += [s for b in outputs for s in promised_nodes(b.binding)]
    return any(not scope.contains(s) for s in sources)
