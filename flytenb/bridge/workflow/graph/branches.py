"""The inside of a conditional: the names of its operands, its cases, and which outputs it has in the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from flytekit.core.condition import BranchNode
from flytekit.core.node import Node as FlyteNode

from flytenb.bridge.entities.interface import python_interface, short_name
from flytenb.bridge.values_in_short import SHORT, cut
from flytenb.bridge.workflow.graph.bindings import name_output
from flytenb.bridge.workflow.graph.conditions import put_in_words
from flytenb.bridge.workflow.node_paths import CaseBlock, Scope
from flytenb.model import Edge, EdgeKind, Kind, Node, Port


def name_operands(node: FlyteNode, scope: Scope) -> dict[str, str]:
    """Name what a branch compares, by the variable that flytekit made up for it.

    A workflow input goes by its name, a node's only output by the node's name, others by both. Nodes of one name are
    told apart by their ids.
    """
    refs = {b.var: b.binding.promise for b in node.bindings if b.binding.promise is not None}
    sources = {id(r.node): r.node for r in refs.values() if scope.contains(r.node)}
    names = {key: _source_name(source) for key, source in sources.items()}
    count = Counter(names.values())
    for key, source in sources.items():
        if count[names[key]] > 1:
            names[key] = f"{names[key]} ({scope.paths[id(source)].rpartition('/')[2]})"
    return {var: _operand_name(ref, names.get(id(ref.node))) for var, ref in refs.items()}


def _source_name(node: FlyteNode) -> str:
    entity = node.flyte_entity
    return str(entity.name) if isinstance(entity, BranchNode) else short_name(entity)


def _operand_name(ref: Any, source: str | None) -> str:
    attributes = ref.attr_path or ()
    if source is None:
        return name_output(ref.var, attributes)
    interface = python_interface(ref.node.flyte_entity)
    if ref.var == "o0" and (interface is None or len(interface.outputs) == 1):
        return name_output(source, attributes)
    return name_output(f"{source}.{ref.var}", attributes)


def draw_cases(
    cases: Sequence[CaseBlock], path: str, scope: Scope, operands: dict[str, str]
) -> tuple[list[Node], list[Edge]]:
    """Return the edges from a branch to its cases, and a node for each case that has none of its own.

    The target of a case's edge is the node whose outputs become the branch's. A case that fails has a node that says
    so; one that hands on what was there before (`.then(p)`) has a node that takes it.
    """
    nodes: list[Node] = []
    edges: list[Edge] = []
    for i, case in enumerate(cases):
        label = put_in_words(case.condition, operands)
        if case.then is not None and scope.paths.get(id(case.then), "").startswith(f"{path}/"):
            edges.append(Edge(path, scope.paths[id(case.then)], EdgeKind.CASE, label=label))
            continue
        at = f"{path}/@else" if case.condition is None else f"{path}/@case{i}"
        if case.error is not None:
            nodes.append(Node(at, Kind.CASE, cut(f"fail: {case.error}", SHORT), settings={"error": case.error}))
        else:
            nodes.append(Node(at, Kind.CASE, "pass on"))
            if case.then is not None:
                edges.append(Edge(scope.path_of(case.then), at))
        edges.append(Edge(path, at, EdgeKind.CASE, label=label))
    return nodes, edges


def common_outputs(cases: Sequence[CaseBlock], outputs_of: Callable[[FlyteNode], Sequence[Port]]) -> tuple[Port, ...]:
    """Return the outputs that every case has, which are the branch's, with the types of the first case."""
    found = [list(outputs_of(c.then)) for c in cases if c.then is not None and c.then.flyte_entity is not None]
    if not found:
        return ()
    shared = set.intersection(*({p.name for p in ports} for ports in found))
    return tuple(Port(p.name, p.type) for p in found[0] if p.name in shared)
