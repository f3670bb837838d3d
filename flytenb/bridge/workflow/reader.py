"""The one reading of flytekit's compiled workflows into `model.workflow.Workflow`, for runs and for graphs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from flytekit.core.condition import BranchNode
from flytekit.core.node import Node
from flytekit.core.workflow import PythonFunctionWorkflow, WorkflowBase, WorkflowFailurePolicy
from flytekit.models import literals

from flytenb.bridge.entities.interface import kind_of, python_interface, require_local, short_name
from flytenb.bridge.entities.kind import is_remote
from flytenb.bridge.workflow.conditions import read_condition
from flytenb.bridge.workflow.node_paths import NodePaths, cases_of, name_nodes, ordered, sources_of
from flytenb.bridge.workflow.overrides import read_overrides
from flytenb.bridge.workflow.policy import NodePolicies, node_metadata
from flytenb.bridge.workflow.reading_cache import read_once
from flytenb.model import Kind
from flytenb.model.workflow import Binding, Case, Constant, DictBinding, ListBinding, Promise, Workflow, WorkflowNode


def read_workflow(workflow: WorkflowBase, path: str = "") -> Workflow:
    """Read a workflow as the inside of the node at `path` (`""`: the outermost); it is compiled if it isn't yet.

    Raises:
        Exception: whatever the workflow's own code raises while it compiles.
    """
    if isinstance(workflow, PythonFunctionWorkflow):
        from flytenb.bridge.workflow.compiler import ensure_compiled  # late: its checks need the paths of this package

        ensure_compiled(workflow)
    return read_once(workflow, "workflow", lambda: read_built(workflow)).at(path)


def read_built(workflow: WorkflowBase, path: str = "") -> Workflow:
    """Read a workflow as it was built, without any check: the inside of a dynamic task, compiled with its inputs."""
    nodes, output_bindings = list(workflow.nodes), list(workflow.output_bindings)
    paths = name_nodes(nodes, output_bindings, path)
    handler = workflow.failure_node
    if handler is not None:
        paths.name_handler(handler)
    reader = _Reader(paths, dict(workflow.python_interface.inputs))
    policy = workflow.workflow_metadata.on_failure
    return Workflow(
        nodes=tuple(reader.read_node(node) for node in paths.levels[paths.prefix]),
        outputs={b.var: reader.read_binding(b.binding) for b in output_bindings},
        failure=None if handler is None else reader.read_node(handler),
        is_fail_fast=policy != WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE,
        remote=tuple(facts.entity for facts in reader.known.values() if facts.is_remote),
    )


def require_runnable(workflow: Workflow) -> Workflow:
    """Return the workflow if all its nodes can run here.

    Raises:
        RemoteEntityError: if a node's entity was fetched from a cluster.
    """
    for entity in workflow.remote:
        require_local(entity)
    return workflow


class _Entity(NamedTuple):
    """What every node of one entity shares."""

    entity: Any
    kind: Kind
    name: str
    node_name: str
    """The name of its nodes without an override."""
    outputs: Mapping[str, Any]
    """The declared types of its outputs; None for a type that isn't known here."""
    policies: NodePolicies
    is_remote: bool


class _Reader:
    """Reads the nodes of one workflow.

    Args:
        paths: the paths of its nodes.
        inputs: the types of its inputs.
    """

    def __init__(self, paths: NodePaths, inputs: dict[str, Any]) -> None:
        self.known: dict[int, _Entity] = {}
        self._paths = paths
        self._inputs = inputs

    def read_node(self, node: Node) -> WorkflowNode:
        entity = self._entity(node.flyte_entity)
        metadata, paths = node_metadata(node), self._paths.paths
        cases: tuple[Case, ...] = ()
        outputs: tuple[str, ...] = ()
        if entity.kind is Kind.BRANCH:
            cases, outputs = self._read_cases(node), tuple(self._outputs(node))
        return WorkflowNode(
            path=paths[id(node)],
            kind=entity.kind,
            name=entity.name,
            entity=entity.entity,
            bindings={b.var: self.read_binding(b.binding) for b in node.bindings},
            upstream=tuple(paths[id(n)] for n in ordered(node.upstream_nodes) if id(n) in paths),
            policy=entity.policies.of(metadata),
            overrides=read_overrides(node, metadata.name, entity.node_name),
            cases=cases,
            outputs=outputs,
        )

    def read_binding(self, data: literals.BindingData) -> Binding:
        promise = data.promise
        if promise is not None:
            node, output = promise.node, promise.var
            declared = self._outputs(node).get(output)
            return Promise(self._paths.path_of(node), output, tuple(promise.attr_path or ()), declared)
        if data.collection is not None:
            return ListBinding(tuple(self.read_binding(b) for b in data.collection.bindings))
        if data.map is not None:
            return DictBinding({k: self.read_binding(b) for k, b in data.map.bindings.items()})
        return Constant(literals.Literal(scalar=data.scalar))

    def _entity(self, entity: Any) -> _Entity:
        found = self.known.get(id(entity))
        if found is None:
            found = self.known[id(entity)] = read_entity(entity)
        return found

    def _outputs(self, node: Node) -> Mapping[str, Any]:
        """Return the types of a node's outputs; of a branch, those that all its cases with outputs share."""
        entity = node.flyte_entity
        if not self._paths.contains(node):  # the start node
            return self._inputs
        if not isinstance(entity, BranchNode):
            return self._entity(entity).outputs
        thens = [b.then for b in cases_of(entity) if b.then is not None and b.then.flyte_entity is not None]
        first, *others = map(self._outputs, thens) if thens else [{}]
        return {name: declared for name, declared in first.items() if all(name in other for other in others)}

    def _read_cases(self, branch: Node) -> tuple[Case, ...]:
        """Read the cases, each with the nodes that no earlier case leads to."""
        level = self._paths.levels.get(f"{self._paths.paths[id(branch)]}/", [])
        unclaimed = {id(node) for node in level}
        cases = []
        for block in cases_of(branch.flyte_entity):
            mine = _claim(block.then, unclaimed)
            nodes = tuple(self.read_node(node) for node in level if id(node) in mine)
            then = None if block.then is None else self._paths.path_of(block.then)
            cases.append(Case(read_condition(block.condition), nodes, then, block.error))
        return tuple(cases)


def _claim(then: Node | None, unclaimed: set[int]) -> set[int]:
    """Take a case's node and the nodes that lead to it out of `unclaimed`; return them."""
    claimed: set[int] = set()
    todo = [] if then is None else [then]
    while todo:
        node = todo.pop()
        if id(node) in unclaimed:
            unclaimed.discard(id(node))
            claimed.add(id(node))
            todo += sources_of(node)
    return claimed


def read_entity(entity: Any) -> _Entity:
    """Read what every node of an entity shares."""
    if isinstance(entity, BranchNode):
        return _Entity(entity, Kind.BRANCH, str(entity.name), str(entity.name), {}, NodePolicies(None), is_remote=False)
    node_name = entity.construct_node_metadata().name
    interface = python_interface(entity)
    outputs = dict.fromkeys(entity.interface.outputs) if interface is None else interface.outputs
    policies = NodePolicies(entity)
    return _Entity(entity, kind_of(entity), short_name(entity), str(node_name), outputs, policies, is_remote(entity))
