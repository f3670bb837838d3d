"""A workflow as frozen data, and the ways through it; how it looks is left to `render`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from flytenb.errors import UnknownNameError, closest
from flytenb.model.node import Edge, Interface, Kind, Node, Port, Setting


@dataclass(frozen=True)
class Graph:
    """All nodes and edges of one entity, at every depth.

    `nodes` maps each path to its node, outer before inner. Inside a container (`n2`) stand `n2/@inputs` and
    `n2/@outputs`; edges never leave a subworkflow except through these. A branch is no such wall: edges go straight
    into its cases, as in Flyte, and the target of each case edge is the node whose outputs become the branch's. What
    the branch compares are data edges into it. A case that fails has a node `@else` of kind case, one that only hands
    on what was there before a node `@case0` (by its place) or `@else`. A list or dict without a promise in it is one
    constant; where it mixes both, each constant in it has its own: `@n0.xs[1]`.
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
        """Paths of the nodes at the outermost level, in compiled order."""
        return tuple(p for p in self.nodes if "/" not in p)

    @cached_property
    def _out(self) -> dict[str, list[Edge]]:
        out: dict[str, list[Edge]] = {}
        for e in self.edges:
            out.setdefault(e.source, []).append(e)
        return out

    @cached_property
    def _in(self) -> dict[str, list[Edge]]:
        into: dict[str, list[Edge]] = {}
        for e in self.edges:
            into.setdefault(e.target, []).append(e)
        return into

    def node(self, path: str) -> Node:
        """Return the node at `path`, or the only node of that name; raise UnknownNameError with the closest paths."""
        if path in self.nodes:
            return self.nodes[path]
        named = [n for n in self.nodes.values() if n.name == path and not n.is_pseudo]
        if len(named) == 1:
            return named[0]
        if named:
            paths = ", ".join(repr(n.path) for n in named)
            raise UnknownNameError(f"node name {path!r} is not unique in {self.name!r}", hint=f"use a path: {paths}")
        known = [p for p, n in self.nodes.items() if not n.is_pseudo]
        known += [n.name for n in self.nodes.values() if not n.is_pseudo]
        raise UnknownNameError(f"no node {path!r} in {self.name!r}", hint=closest(path, dict.fromkeys(known)))

    def edges_from(self, path: str) -> tuple[Edge, ...]:
        """Edges that leave the node."""
        return tuple(self._out.get(path, ()))

    def edges_into(self, path: str) -> tuple[Edge, ...]:
        """Edges that arrive at the node."""
        return tuple(self._in.get(path, ()))

    def upstream(self, path: str) -> frozenset[str]:
        """Paths of all nodes that the node at `path` depends on, through containers too, without itself."""
        return self._reach(self.node(path).path, up=True)

    def downstream(self, path: str) -> frozenset[str]:
        """Paths of all nodes that depend on the node at `path`, through containers too, without itself."""
        return self._reach(self.node(path).path, up=False)

    def _reach(self, path: str, *, up: bool) -> frozenset[str]:
        """Walk the edges one way; a step into a container goes through its door, a step out leaves it at its wall."""
        start = {path, *self._inside(path)}
        seen: set[str] = set()
        todo = deque((p, False) for p in start)
        while todo:
            at, is_entered = todo.popleft()
            # A case's edge joins a branch with what is inside it: taking it out of a case doesn't lead into the others.
            steps = [s for s in self._steps(at, up=up) if is_entered or not s.startswith(f"{at}/")]
            found = [(s, not at.startswith(f"{s}/")) for s in steps]
            found += [(wall, False) for wall in self._wall(at, up=up)]
            if is_entered:
                found += [(s, True) for s in self._enter(at, up=up)]
            for step, enters in found:
                if step not in seen and step not in start:
                    seen.add(step)
                    todo.append((step, enters))
        return frozenset(seen)

    def _steps(self, path: str, *, up: bool) -> list[str]:
        return [e.source for e in self._in.get(path, ())] if up else [e.target for e in self._out.get(path, ())]

    def _inside(self, path: str) -> list[str]:
        prefix = path + "/"
        return [p for p in self.nodes if p.startswith(prefix)]

    def _enter(self, path: str, *, up: bool) -> list[str]:
        """What a walk that arrives at a container meets first inside it."""
        node = self.nodes[path]
        door = f"{path}/@outputs" if up else f"{path}/@inputs"
        return [door] if door in self.nodes else list(node.children)

    def _wall(self, path: str, *, up: bool) -> list[str]:
        """The container that a walk leaves at this node: through a door, or from anywhere where there is none."""
        node = self.nodes[path]
        door = f"{node.parent}/@inputs" if up else f"{node.parent}/@outputs"
        return [node.parent] if node.parent and (path == door or door not in self.nodes) else []

    def topological(self, paths: Iterable[str] | None = None) -> tuple[str, ...]:
        """Order the given paths (default: the top level) so that every edge between them points forward.

        Raises:
            ValueError: if they form a cycle, which a compiled workflow never does.
        """
        wanted = list(self.top if paths is None else paths)
        inside = set(wanted)
        missing = {p: {e.source for e in self._in.get(p, ()) if e.source in inside} for p in wanted}
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
            raise ValueError(f"cycle among {sorted(inside - set(order))}")
        return tuple(order)

    def subgraph(self, keep: Iterable[str]) -> Graph:
        """Return the graph of just these paths (and the containers around them), with the edges between them."""
        kept = set(keep)
        for path in list(kept):
            parts = path.split("/")
            kept.update("/".join(parts[:i]) for i in range(1, len(parts)))
        nodes = {
            p: Node(n.path, n.kind, n.name, n.interface, n.settings, tuple(c for c in n.children if c in kept))
            for p, n in self.nodes.items()
            if p in kept
        }
        edges = tuple(e for e in self.edges if e.source in nodes and e.target in nodes)
        return Graph(self.name, self.kind, nodes, edges, self.interface, self.settings)

    def merged(self, other: Graph, under: str) -> Graph:
        """Return this graph with `other` (whose paths start with `under/`) as the inside of the node `under`."""
        node = self.nodes[under]
        inner = tuple(p for p in other.nodes if p.rpartition("/")[0] == under)
        children = tuple(dict.fromkeys((*node.children, *inner)))
        nodes = dict(self.nodes)
        nodes[under] = Node(node.path, node.kind, node.name, node.interface, node.settings, children)
        nodes.update(other.nodes)
        edges = tuple(dict.fromkeys((*self.edges, *other.edges)))
        return Graph(self.name, self.kind, nodes, edges, self.interface, self.settings)

    def to_json(self, *, indent: int | None = None) -> str:
        """Return the graph as JSON text; `from_json` reads it back, equal."""
        from flytenb.model.graph_json import StoredGraph, write

        nodes = tuple(self.nodes.values())
        return write(StoredGraph(self.name, self.kind, self.interface, self.settings, nodes, self.edges), indent)

    @classmethod
    def from_json(cls, text: str) -> Graph:
        """Read a graph from the text that `to_json` wrote.

        Raises:
            UsageError: if it is no such text, with the place in it.
        """
        from flytenb.model.graph_json import read

        stored = read(text)
        nodes = {node.path: node for node in stored.nodes}
        return cls(stored.name, stored.kind, nodes, stored.edges, stored.interface, stored.settings)
