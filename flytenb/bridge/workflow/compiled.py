"""flytekit's compiled workflows as plain data for a run: nodes with paths, bindings, policies; running is not here.

Paths are those of `bridge.graphs`, so that what is drawn and what runs carry the same names.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from flytekit.core.condition import BranchNode
from flytekit.core.node import Node
from flytekit.core.workflow import WorkflowBase, WorkflowFailurePolicy
from flytekit.models import literals as lit

from flytenb.bridge.entities.kind import require_local
from flytenb.bridge.workflow.node_paths import NodePaths, cases_of, name_nodes, sources_of
from flytenb.bridge.workflow.readings import read_once

Attribute = str | int


@dataclass(frozen=True, slots=True)
class Ref:
    """The output of another node, or an input of the workflow (`path` ends in `@inputs`)."""

    path: str
    output: str
    attributes: tuple[Attribute, ...]
    python_type: Any


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that was known when the workflow was compiled."""

    literal: lit.Literal


@dataclass(frozen=True, slots=True)
class Items:
    """A list of bindings that fills one input."""

    bindings: tuple[Binding, ...]


@dataclass(frozen=True, slots=True)
class Entries:
    """A dict of bindings that fills one input."""

    bindings: dict[str, Binding]


Binding = Ref | Constant | Items | Entries


@dataclass(frozen=True, slots=True)
class Policy:
    """What a node was promised: retries after a recoverable failure, seconds until it times out, its cache."""

    retries: int = 0
    timeout: float | None = None
    cache_version: str | None = None
    cache_serialize: bool = False
    cache_ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One way out of a branch: its condition (None for else), what runs, and which node's outputs count."""

    condition: Any
    nodes: tuple[CompiledNode, ...]
    then: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class CompiledNode:
    """One node: its entity, what fills its inputs, what it waits for, and a branch's cases."""

    path: str
    entity: Any
    bindings: dict[str, Binding]
    upstream: frozenset[str]
    policy: Policy
    cases: tuple[Case, ...] = ()


@dataclass(frozen=True, slots=True)
class Compiled:
    """A workflow's inside."""

    nodes: tuple[CompiledNode, ...]
    outputs: dict[str, Binding]
    failure: CompiledNode | None = None
    is_fail_fast: bool = True


def read_compiled(workflow: WorkflowBase, path: str = "") -> Compiled:
    """Read the nodes of a compiled workflow that stands at `path` (`""`: the outermost).

    Raises:
        RemoteEntityError: if a node's entity was fetched from a cluster.
        Exception: whatever the workflow's own code raises while it compiles.
    """
    if not path:
        return read_once(workflow, "compiled", lambda: _read(workflow, ""))
    return _read(workflow, path)


def _read(workflow: WorkflowBase, path: str) -> Compiled:
    nodes, output_bindings = list(workflow.nodes), list(workflow.output_bindings)
    scope = name_nodes(nodes, output_bindings, path)
    inputs = dict(workflow.python_interface.inputs)
    reader = _Reader(scope, inputs)
    compiled = tuple(reader.read_node(node) for node in scope.levels[scope.prefix])
    failure = None
    if workflow.failure_node is not None:
        scope.name_level([workflow.failure_node], scope.prefix)
        failure = reader.read_node(workflow.failure_node)
    policy = workflow.workflow_metadata.on_failure
    return Compiled(
        nodes=tuple(n for n in compiled if failure is None or n.path != failure.path),
        outputs={b.var: reader.read_binding(b.binding) for b in output_bindings},
        failure=failure,
        is_fail_fast=policy != WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE,
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the nodes of one workflow, whose paths `scope` knows and whose inputs have these types."""

    scope: NodePaths
    inputs: dict[str, Any]

    def read_node(self, node: Node) -> CompiledNode:
        paths = self.scope.paths
        require_local(node.flyte_entity)
        is_branch = isinstance(node.flyte_entity, BranchNode)
        return CompiledNode(
            path=paths[id(node)],
            entity=node.flyte_entity,
            bindings={b.var: self.read_binding(b.binding) for b in node.bindings},
            upstream=frozenset(paths[id(n)] for n in node.upstream_nodes if id(n) in paths),
            policy=_read_policy(node),
            cases=self.read_cases(node) if is_branch else (),
        )

    def read_cases(self, branch: Node) -> tuple[Case, ...]:
        """The cases, each with the nodes that only it leads to."""
        prefix = f"{self.scope.paths[id(branch)]}/"
        level = self.scope.levels.get(prefix, [])
        claimed: set[int] = set()
        cases = []
        for condition, then, error in cases_of(branch.flyte_entity):
            mine: set[int] = set()
            todo = [then] if then is not None else []
            while todo:
                node = todo.pop()
                if id(node) in mine or id(node) in claimed or not any(node is n for n in level):
                    continue
                mine.add(id(node))
                todo += sources_of(node)
            claimed |= mine
            nodes = tuple(self.read_node(n) for n in level if id(n) in mine)
            path = self.scope.paths[id(then)] if then is not None else None
            cases.append(Case(condition, nodes, path, error))
        return tuple(cases)

    def read_binding(self, data: lit.BindingData) -> Binding:
        if data.promise is not None:
            node, output = data.promise.node, data.promise.var
            attributes = tuple(data.promise.attr_path or ())
            is_input = not self.scope.contains(node)
            declared = self.inputs.get(output) if is_input else output_type(node, output)
            return Ref(self.scope.path_of(node), output, attributes, declared)
        if data.collection is not None:
            return Items(tuple(self.read_binding(b) for b in data.collection.bindings))
        if data.map is not None:
            return Entries({k: self.read_binding(b) for k, b in data.map.bindings.items()})
        return Constant(lit.Literal(scalar=data.scalar))


def output_type(node: Node, output: str) -> Any:
    """The Python type that a node declares for one output; a branch answers with its first case that has it."""
    entity = node.flyte_entity
    if isinstance(entity, BranchNode):
        for case in cases_of(entity):
            if case.then is not None:
                return output_type(case.then, output)
    interface = entity.python_interface
    return None if interface is None else interface.outputs.get(output)


def _read_policy(node: Node) -> Policy:
    """The node's own overrides over what its task asks for, as the cluster's compiler weighs them."""
    entity = node.flyte_entity
    metadata = getattr(entity, "sub_node_metadata", None) or node.metadata
    task = getattr(node.run_entity, "metadata", None)
    timeout = getattr(metadata, "timeout", None)
    retries = getattr(metadata, "retries", None)
    is_cached, version = bool(getattr(task, "cache", False)), getattr(task, "cache_version", "")
    serialize = bool(getattr(task, "cache_serialize", False))
    if getattr(metadata, "cacheable", None) is not None:
        is_cached = bool(metadata.cacheable)
        version = metadata.cache_version or version
        serialize = bool(metadata.cache_serializable)
    return Policy(
        retries=int(getattr(retries, "retries", 0) or 0),
        timeout=_seconds(timeout),
        cache_version=version if is_cached else None,
        cache_serialize=serialize,
        cache_ignore=tuple(getattr(task, "cache_ignore_input_vars", ()) or ()),
    )


def _seconds(timeout: Any) -> float | None:
    """A timeout as flytekit keeps it, a timedelta or whole seconds, 0 for none."""
    seconds = timeout.total_seconds() if isinstance(timeout, datetime.timedelta) else timeout
    return float(seconds) if seconds else None


def task_policy(task: Any) -> Policy:
    """The policy of a task that is run by itself, without a workflow around it."""
    metadata = getattr(task, "metadata", None)
    timeout = getattr(metadata, "timeout", None)
    is_cached = bool(getattr(metadata, "cache", False))
    return Policy(
        retries=int(getattr(metadata, "retries", 0) or 0),
        timeout=_seconds(timeout),
        cache_version=getattr(metadata, "cache_version", "") if is_cached else None,
        cache_serialize=bool(getattr(metadata, "cache_serialize", False)),
        cache_ignore=tuple(getattr(metadata, "cache_ignore_input_vars", ()) or ()),
    )


__all__ = [
    "Binding",
    "Case",
    "Compiled",
    "CompiledNode",
    "Constant",
    "Entries",
    "Items",
    "Policy",
    "Ref",
    "output_type",
    "read_compiled",
    "task_policy",
]
