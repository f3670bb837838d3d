"""The graph of a workflow, and its traversals."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from flytenb.errors import UnknownNameError, closest
from flytenb.locks import cached_property
from flytenb.model.node import Edge, Interface, Kind, Node, Port, Setting


@dataclass(frozen=True)
class Graph:
    """All nodes and edges of one entity, at every depth.

    `nodes` maps each path to its node, outer before inner. A container (`n2`) contains `n2/@inputs` and
    `n2/@outputs`; edges enter and leave a subworkflow only through these. Edges to the cases of a branch are direct,
    as in Flyte; the target of each case edge is the node whose outputs become those of the branch. The operands of
    the branch are data edges into it. A case that fails has a node `@else` of kind case; a case that returns an
    earlier value has a node `@case0` (by its position) or `@else`. A list or dict without a promise in it is one
    constant; in a mixed one, each constant has its own node: `@n0.xs[1]`.
    """

    name: str
    kind: Kind
    nodes: Mapping[str, Node]
    edges: tuple[Edge, ...] = ()
    interface: Interface = field(default_factory=Interface)
    settings: Mapping[str, Setting] = field(default_factory=dict)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The inputs of the entity itself."""
        return self.interface.inputs

    @property
    def outputs(self) -> tuple[Port, ...]:
        """The outputs of the entity itself."""
        return self.interface.outputs

    @cached_property
    def top(self) -> tuple[str, ...]:
        """The paths of the nodes at the outermost level, in compiled order."""
        return tuple(p for p in self.nodes if "/" not in p)

    @cached_property
    def _from(self) -> Mapping[str, tuple[Edge, ...]]:
        return _grouped(self.edges, by=(e.source for e in self.edges))

    @cached_property
    def _into(self) -> Mapping[str, tuple[Edge, ...]]:
        return _grouped(self.edges, by=(e.target for e in self.edges))

    def node(self, path: str) -> Node:
        """Return the node at a path, or the only node with a name.

        Raises:
            UnknownNameError: with the closest paths and names.
        """
        if path in self.nodes:
            return self.nodes[path]
        named = [n for n in self.nodes.values() if n.name == path and not n.is_pseudo]
        if len(named) == 1:
            return named[0]
        if named:
            paths = ", ".join(repr(n.path) for n in named)
            raise UnknownNameError(
                f"expected the name of a single node of {self.name!r}, got {path!r}", hint=f"use a path: {paths}"
            )
        known = [p for p, n in self.nodes.items() if not n.is_pseudo]
        known += [n.name for n in self.nodes.values() if not n.is_pseudo]
        raise UnknownNameError(f"unknown node {path!r} in {self.name!r}", hint=closest(path, dict.fromkeys(known)))

    def edges_from(self, path: str) -> tuple[Edge, ...]:
        """Return the edges from the node."""
        return self._from.get(path, ())

    def entity_name(self, path: str) -> str:
        """Return the name of a node's entity, `half[37]` for an element of a map; `""` for an unknown path."""
        if path in self.nodes:
            return self.nodes[path].name
        around, _, number = path.rpartition("/")
        return f"{self.nodes[around].name}[{number}]" if around in self.nodes and number.isdigit() else ""

    def edges_into(self, path: str) -> tuple[Edge, ...]:
        """Return the edges to the node."""
        return self._into.get(path, ())

    def upstream(self, path: str) -> frozenset[str]:
        """Return the paths of all nodes that a node depends on, through containers too, without itself."""
        return self._reach(self.node(path).path, up=True)

    def downstream(self, path: str) -> frozenset[str]:
        """Return the paths of all nodes that depend on a node, through containers too, without itself."""
        return self._reach(self.node(path).path, up=False)

    def _reach(self, path: str, *, up: bool) -> frozenset[str]:
        """Follow the edges in one direction, into containers and out of them."""
        start = {path, *self._inside(path)}
        seen: set[str] = set()
        todo = deque((p, False) for p in start)
        while todo:
            at, is_entered = todo.popleft()
            # The edge of a case connects a branch with a node inside it: leaving one case doesn't enter the others.
            steps = [s for s in self._steps(at, up=up) if is_entered or not s.startswith(f"{at}/")]
            found = [(s, not at.startswith(f"{s}/")) for s in steps]
            found += [(around, False) for around in self._exit(at, up=up)]
            if is_entered:
                found += [(s, True) for s in self._enter(at, up=up)]
            for step, enters in found:
                if step not in seen and step not in start:
                    seen.add(step)
                    todo.append((step, enters))
        return frozenset(seen)

    def _steps(self, path: str, *, up: bool) -> list[str]:
        return [e.source for e in self.edges_into(path)] if up else [e.target for e in self.edges_from(path)]

    def _inside(self, path: str) -> list[str]:
        prefix = path + "/"
        return [p for p in self.nodes if p.startswith(prefix)]

    def _enter(self, path: str, *, up: bool) -> list[str]:
        """Return the first nodes inside a container."""
        node = self.nodes[path]
        door = f"{path}/@outputs" if up else f"{path}/@inputs"
        return [door] if door in self.nodes else list(node.children)

    def _exit(self, path: str, *, up: bool) -> list[str]:
        """Return the container that is left at this node: at its `@inputs` or `@outputs`, anywhere if it has none."""
        node = self.nodes[path]
        door = f"{node.parent}/@inputs" if up else f"{node.parent}/@outputs"
        return [node.parent] if node.parent and (path == door or door not in self.nodes) else []

    def topological(self, paths: Iterable[str] | None = None) -> tuple[str, ...]:
        """Return the paths (default: the top level) in an order in which every edge between them points forward.

        Raises:
            ValueError: if they form a cycle, which can't be in a compiled workflow.
        """
        wanted = list(self.top if paths is None else paths)
        inside = set(wanted)
        missing = {p: {e.source for e in self.edges_into(p) if e.source in inside} for p in wanted}
        users: dict[str, list[str]] = {}
        for path, sources in missing.items():
            for source in sources:
                users.setdefault(source, []).append(path)
        ready = deque(p for p in wanted if not missing[p])
        order: list[str] = []
        while ready:
            at = ready.popleft()
            order.append(at)
            for user in users.get(at, ()):
                missing[user].discard(at)
                if not missing[user]:
                    ready.append(user)
        if len(order) != len(wanted):
            raise ValueError(f"expected a graph without cycles, got one among {sorted(inside - set(order))}")
        return tuple(order)

    def subgraph(self, keep: Iterable[str]) -> Graph:
        """Return the graph of these paths and the containers around them, with the edges between them."""
        kept = set(keep)
        for path in list(kept):
            parts = path.split("/")
            kept.update("/".join(parts[:i]) for i in range(1, len(parts)))
        nodes = {
            p: n if kept.issuperset(n.children) else replace(n, children=tuple(c for c in n.children if c in kept))
            for p, n in self.nodes.items()
            if p in kept
        }
        return replace(self, nodes=nodes, edges=tuple(e for e in self.edges if e.source in nodes and e.target in nodes))

    def merged(self, other: Graph, under: str) -> Graph:
        """Return this graph with `other`, whose paths start with `under/`, inside the node `under`."""
        node = self.nodes[under]
        inner = tuple(p for p in other.nodes if p.rpartition("/")[0] == under)
        opened = replace(node, children=tuple(dict.fromkeys((*node.children, *inner))))
        edges = tuple(dict.fromkeys((*self.edges, *other.edges)))
        return replace(self, nodes={**self.nodes, under: opened, **other.nodes}, edges=edges)

    def to_json(self, *, indent: int | None = None) -> str:
        """Return the graph as JSON text, from which `from_json` reads an equal graph."""
        from flytenb.model.graph_json import StoredGraph, write

        nodes = tuple(self.nodes.values())
        return write(StoredGraph(self.name, self.kind, self.interface, self.settings, nodes, self.edges), indent)

    @classmethod
    def from_json(cls, text: str) -> Graph:
        """Read a graph from the text of `to_json`.

        Raises:
            UsageError: if the text isn't a graph, with the place in it.
        """
        from flytenb.model.graph_json import read

        stored = read(text)
        nodes = {node.path: node for node in stored.nodes}
        return cls(stored.name, stored.kind, nodes, stored.edges, stored.interface, stored.settings)


def _grouped(edges: Iterable[Edge], by: Iterable[str]) -> Mapping[str, tuple[Edge, ...]]:
    groups: dict[str, list[Edge]] = {}
    for edge, path in zip(edges, by, strict=True):
        groups.setdefault(path, []).append(edge)
    return {path: tuple(group) for path, group in groups.items()}
