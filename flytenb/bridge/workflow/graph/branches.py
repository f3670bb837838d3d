"""Branches in a graph: the names of their operands, and the edges to their cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from flytenb.bridge.entities.interface import python_interface
from flytenb.bridge.workflow.graph.condition_text import condition_text
from flytenb.bridge.workflow.graph.fills import name_output
from flytenb.model import Edge, EdgeKind, Kind, Node
from flytenb.model.workflow import Promise, WorkflowNode
from flytenb.wording.text import clip_line
from flytenb.wording.values import SHORT


def operand_promises(branch: WorkflowNode) -> Iterator[tuple[str, Promise]]:
    """Yield the promises that the conditions of a branch compare, with flytekit's variable for each."""
    for variable, binding in branch.bindings.items():
        if isinstance(binding, Promise):
            yield variable, binding


def name_operands(branch: WorkflowNode, nodes: Mapping[str, WorkflowNode]) -> dict[str, str]:
    """Return a name for each operand of a branch, by flytekit's variable for it.

    A workflow input goes by its name, a node's only output by the node's name, others by both. Nodes of one name get
    their ids in brackets.

    Args:
        branch: the branch node.
        nodes: the nodes of the workflow by their paths.
    """
    promises = dict(operand_promises(branch))
    names = {p.path: nodes[p.path].name for p in promises.values() if p.path in nodes}
    count = Counter(names.values())
    for path, name in names.items():
        if count[name] > 1:
            names[path] = f"{name} ({path.rpartition('/')[2]})"
    return {
        variable: _operand_name(promise, nodes.get(promise.path), names.get(promise.path, ""))
        for variable, promise in promises.items()
    }


def _operand_name(promise: Promise, source: WorkflowNode | None, name: str) -> str:
    if source is None:
        return name_output(promise.output, promise.attributes)
    interface = python_interface(source.entity)
    if promise.output == "o0" and (interface is None or len(interface.outputs) == 1):
        return name_output(name, promise.attributes)
    return name_output(f"{name}.{promise.output}", promise.attributes)


def draw_cases(branch: WorkflowNode, operands: Mapping[str, str]) -> tuple[list[Node], list[Edge]]:
    """Return the edges from a branch to its cases, and a node for each case that has none of its own.

    The target of a case's edge is the node whose outputs become the branch's. A case that fails has a node with its
    message; a case that passes on an earlier promise (`.then(p)`) has a node that takes it.
    """
    nodes: list[Node] = []
    edges: list[Edge] = []
    for i, case in enumerate(branch.cases):
        label = condition_text(case.condition, operands)
        if case.then is not None and case.then.startswith(f"{branch.path}/"):
            edges.append(Edge(branch.path, case.then, EdgeKind.CASE, label=label))
            continue
        at = f"{branch.path}/@else" if case.condition is None else f"{branch.path}/@case{i}"
        if case.error is not None:
            nodes.append(Node(at, Kind.CASE, clip_line(f"fail: {case.error}", SHORT), settings={"error": case.error}))
        else:
            nodes.append(Node(at, Kind.CASE, "pass on"))
            if case.then is not None:
                edges.append(Edge(case.then, at))
        edges.append(Edge(branch.path, at, EdgeKind.CASE, label=label))
    return nodes, edges
