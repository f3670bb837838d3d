"""Paths of flytekit's nodes; flytekit's own ids restart within a conditional and may be given twice."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple

from flytekit.core.condition import BranchNode
from flytekit.core.node import Node

from flytenb.bridge import private


class CaseBlock(NamedTuple):
    """One case of a branch: its condition (None for else), the node whose outputs count, or the error it raises."""

    condition: Any
    then: Node | None
    error: str | None


def cases_of(branch: BranchNode) -> tuple[CaseBlock, ...]:
    """Return the cases in the order in which they are tried."""
    block = private.ifelse_block(branch)
    blocks = [CaseBlock(b.condition, b.then_node, None) for b in (block.case, *(block.other or ()))]
    error = None if block.error is None else block.error.message
    return (*blocks, CaseBlock(None, block.else_node, error))


def unique(path: str, taken: Iterable[str]) -> str:
    """Return the path, or the first of `path~2`, `path~3`… that isn't taken."""
    found, n = path, 1
    while found in taken:
        n += 1
        found = f"{path}~{n}"
    return found


@dataclass(slots=True)
class NodePaths:
    """The paths of the nodes of one workflow, those inside its conditionals too.

    Attributes:
        prefix: `""` at the top, else the path of the workflow's node and a slash.
        paths: each node's path by the node's identity, since ids aren't unique.
        levels: the nodes at the workflow's own level under `prefix`, those directly inside a branch under its path and
            a slash; in compiled order, a node that no list of flytekit holds before the node that depends on it.
        taken: all paths so far.
    """

    prefix: str
    paths: dict[int, str] = field(default_factory=dict)
    levels: dict[str, list[Node]] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def path_of(self, node: Node) -> str:
        """Return the node's path; the start node, which has none, gives the workflow's inputs."""
        return self.paths.get(id(node), f"{self.prefix}@inputs")

    def contains(self, node: Node) -> bool:
        """Tell whether the node has a path."""
        return id(node) in self.paths

    def name_level(self, nodes: Iterable[Node], prefix: str) -> None:
        """Name the nodes of one level, then those that are only reached through them, then those inside branches.

        A call that is written inside a conditional, but not as a case's own (`conditional("c").if_(f(x=1) > 3)`,
        `.then(f(a=g(x=1)))`), makes a node that no list of flytekit holds. It is found through the node that depends
        on it and gets a path at that node's level.
        """
        level = list(nodes)
        for node in level:
            self._name(node, prefix)
        order = self.levels.setdefault(prefix, [])
        for node in level:
            if not self._knows_sources(node):
                for hidden in self._hidden_behind(node, set()):
                    self._name(hidden, prefix)
                    self._add(hidden, order)
            self._add(node, order)

    def name_hidden(self, nodes: Iterable[Node]) -> None:
        """Name nodes that are only reached through the workflow's outputs."""
        self.name_level((n for n in nodes if n.id and not self.contains(n)), self.prefix)

    def name_handler(self, node: Node) -> None:
        """Name the node of the failure handler, which belongs to no level."""
        self._name(node, self.prefix)

    def _add(self, node: Node, order: list[Node]) -> None:
        order.append(node)
        if isinstance(node.flyte_entity, BranchNode):
            thens = [c.then for c in cases_of(node.flyte_entity) if c.then is not None]
            inside = dict.fromkeys(n for n in thens if n.id and not self.contains(n))
            self.name_level(inside, f"{self.paths[id(node)]}/")

    def _name(self, node: Node, prefix: str) -> None:
        path = unique(f"{prefix}{node.id}", self.taken)
        self.taken.add(path)
        self.paths[id(node)] = path

    def _knows_sources(self, node: Node) -> bool:
        paths = self.paths
        for source in node.upstream_nodes:
            if id(source) not in paths and source.id:
                return False
        return all(
            id(source) in paths or not source.id
            for binding in node.bindings
            for source in promised_nodes(binding.binding)
        )

    def _hidden_behind(self, node: Node, seen: set[int]) -> Iterator[Node]:
        """Yield unnamed nodes that the node depends on, each once and after its own dependencies."""
        for source in sources_of(node):
            if source.id and not self.contains(source) and id(source) not in seen:
                seen.add(id(source))
                yield from self._hidden_behind(source, seen)
                yield source


def sources_of(node: Node) -> Iterator[Node]:
    """Yield the nodes that a node depends on, those of its bindings first, in a stable order."""
    for binding in node.bindings:
        yield from promised_nodes(binding.binding)
    yield from ordered(node.upstream_nodes)


def ordered(nodes: Collection[Node]) -> Collection[Node]:
    """Return nodes ordered by their ids."""
    return sorted(nodes, key=lambda n: n.id) if len(nodes) > 1 else nodes


def promised_nodes(data: Any) -> Iterable[Node]:
    """Return the nodes whose outputs a binding takes."""
    if data.promise is not None:
        return (data.promise.node,)
    if data.collection is not None:
        return chain.from_iterable(map(promised_nodes, data.collection.bindings))
    if data.map is not None:
        return chain.from_iterable(map(promised_nodes, data.map.bindings.values()))
    return ()


def name_nodes(nodes: Iterable[Node], output_bindings: Iterable[Any], under: str = "") -> NodePaths:
    """Name every node of one compiled workflow, as the inside of the node at `under`."""
    paths = NodePaths(f"{under}/" if under else "")
    paths.name_level(nodes, paths.prefix)
    paths.name_hidden(n for b in output_bindings for n in promised_nodes(b.binding))
    return paths
