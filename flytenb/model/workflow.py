"""Compiled workflows as frozen data: nodes, bindings, conditions, policies. A run walks it, a graph is drawn from it.

Objects of flytekit that a run has to call or convert (entities, literals, Python types) are carried as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from flytenb.model.node import Kind, Setting


@dataclass(frozen=True, slots=True)
class Promise:
    """An output of another node, or an input of the workflow.

    Attributes:
        path: the node; it ends in `@inputs` for an input of the workflow.
        output: the name of the output or input.
        attributes: the fields, keys and indexes taken from it.
        python_type: the declared type of the output, before attributes are taken; None if it isn't known here.
    """

    path: str
    output: str
    attributes: tuple[str | int, ...] = ()
    python_type: Any = None


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that is known since the workflow was compiled, as flytekit's literal."""

    literal: Any


@dataclass(frozen=True, slots=True)
class ListBinding:
    """A list of bindings for one input."""

    items: tuple[Binding, ...]


@dataclass(frozen=True, slots=True)
class DictBinding:
    """A dict of bindings for one input."""

    items: Mapping[str, Binding]


Binding: TypeAlias = Promise | Constant | ListBinding | DictBinding
"""The source of one input or output."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How a node is run: its own overrides over the settings of its task.

    Attributes:
        retries: attempts after the first.
        timeout: seconds per attempt, None for no limit.
        cache_version: the cache version, None if the node isn't cached.
        cache_serialize: whether equal calls wait for each other on a cluster.
        cache_ignore: inputs that aren't part of the cache key.
        interruptible: whether a cluster may run it on preemptible machines, None if unset.
    """

    retries: int = 0
    timeout: float | None = None
    cache_version: str | None = None
    cache_serialize: bool = False
    cache_ignore: tuple[str, ...] = ()
    interruptible: bool | None = None


@dataclass(frozen=True, slots=True)
class Operand:
    """One side of a comparison: the branch's input `name`, or a constant `value` if the name is empty."""

    name: str = ""
    value: Any = None


@dataclass(frozen=True, slots=True)
class ComparisonExpression:
    """Two operands compared by `==`, `!=`, `<`, `<=`, `>` or `>=`."""

    operator: str
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class ConjunctionExpression:
    """Two conditions joined by `and` or `or`."""

    operator: str
    left: Condition
    right: Condition


Condition: TypeAlias = ComparisonExpression | ConjunctionExpression


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a branch node.

    Attributes:
        condition: when it is taken; None for the last one, `else`.
        nodes: the nodes that run only for this case.
        then: the path of the node whose outputs become the branch's; a node outside of the branch if the case passes
            on an earlier promise; None if the case fails or passes on several promises.
        error: the message that the case fails with, else None.
    """

    condition: Condition | None
    nodes: tuple[WorkflowNode, ...]
    then: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class WorkflowNode:
    """One node of a compiled workflow.

    Attributes:
        path: the node's ids from the outermost workflow inwards, e.g. `n2/n0`.
        kind: the kind of its entity.
        name: the short name of its entity.
        entity: flytekit's entity.
        bindings: the source of each input; of a branch, of each operand that its conditions compare.
        upstream: the paths of the nodes that must end before it, ordered by flytekit's node ids.
        policy: retries, timeout, cache.
        overrides: other settings that `with_overrides` changed: `alias`, `image`, `cpu`, `mem`, `gpu`, `disk`,
            `accelerator`.
        cases: the cases of a branch node, in the order in which they are tried.
        outputs: the names of a branch's outputs: those that all cases with outputs share.
    """

    path: str
    kind: Kind
    name: str
    entity: Any
    bindings: Mapping[str, Binding]
    upstream: tuple[str, ...] = ()
    policy: Policy = Policy()
    overrides: Mapping[str, Setting] = field(default_factory=dict)
    cases: tuple[Case, ...] = ()
    outputs: tuple[str, ...] = ()

    def walk(self) -> Iterator[WorkflowNode]:
        """Yield the node, then the nodes of its cases at any depth."""
        yield self
        for case in self.cases:
            for node in case.nodes:
                yield from node.walk()


@dataclass(frozen=True, slots=True)
class Workflow:
    """The inside of a compiled workflow; the insides of its subworkflows are `Workflow` values of their own.

    Attributes:
        nodes: the nodes at its own level, in compiled order.
        outputs: the source of each output.
        failure: the node of the failure handler.
        is_fail_fast: whether a failed node ends the workflow at once.
        remote: entities of its nodes that were fetched from a cluster and have no code here.
    """

    nodes: tuple[WorkflowNode, ...]
    outputs: Mapping[str, Binding]
    failure: WorkflowNode | None = None
    is_fail_fast: bool = True
    remote: tuple[Any, ...] = ()

    def walk(self) -> Iterator[WorkflowNode]:
        """Yield all nodes, those of its branches too, without the failure handler's."""
        for node in self.nodes:
            yield from node.walk()

    def at(self, path: str) -> Workflow:
        """Return the same workflow as the inside of the node at `path`: every path starts with `path/`."""
        return _Relocation(f"{path}/").workflow(self) if path else self


@dataclass(frozen=True, slots=True)
class _Relocation:
    """Puts a prefix before every path of a workflow."""

    prefix: str

    def workflow(self, workflow: Workflow) -> Workflow:
        return Workflow(
            tuple(map(self.node, workflow.nodes)),
            self.bindings(workflow.outputs),
            None if workflow.failure is None else self.node(workflow.failure),
            workflow.is_fail_fast,
            workflow.remote,
        )

    def node(self, node: WorkflowNode) -> WorkflowNode:
        return WorkflowNode(
            self.prefix + node.path,
            node.kind,
            node.name,
            node.entity,
            self.bindings(node.bindings),
            tuple(self.prefix + path for path in node.upstream),
            node.policy,
            node.overrides,
            tuple(map(self.case, node.cases)),
            node.outputs,
        )

    def case(self, case: Case) -> Case:
        then = None if case.then is None else self.prefix + case.then
        return Case(case.condition, tuple(map(self.node, case.nodes)), then, case.error)

    def bindings(self, bindings: Mapping[str, Binding]) -> dict[str, Binding]:
        return {name: self.binding(binding) for name, binding in bindings.items()}

    def binding(self, binding: Binding) -> Binding:
        if isinstance(binding, Promise):
            return Promise(self.prefix + binding.path, binding.output, binding.attributes, binding.python_type)
        if isinstance(binding, ListBinding):
            return ListBinding(tuple(map(self.binding, binding.items)))
        if isinstance(binding, DictBinding):
            return DictBinding(self.bindings(binding.items))
        return binding
