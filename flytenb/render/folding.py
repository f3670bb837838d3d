"""Folding of graphs that are too big to read: by container, by name, by level, by ranges of levels.

Each step returns a graph in which one node represents several.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from flytenb.model import Edge, EdgeKind, Graph, Kind, Node
from flytenb.model.node import Setting
from flytenb.render.captions import label
from flytenb.render.levels import levels_of
from flytenb.wording.series import names_text

MOST_BOXES = 120
"""Most boxes in a readable picture."""
MOST_OPEN = 40
"""Most boxes in a readable picture with open containers."""
MOST_ACROSS = 16
"""Most boxes side by side in a readable picture."""
FEW_INSIDE = 6
"""Most nodes inside a container that stays open in a picture with many others."""
MOST_DOWN = 60
"""Most levels in a readable picture."""
MOST_STRETCHES = 24
"""Levels that remain after the last step."""
FEWEST_ALIKE = 3
"""Fewest nodes with one name that are folded into one box."""

_FOLDED = "@folded"


@dataclass(frozen=True)
class FoldedGraph:
    """A graph after folding.

    Attributes:
        graph: what is left to draw.
        shown_at: for each path that isn't drawn, the path of the node that represents it.
    """

    graph: Graph
    shown_at: Mapping[str, str]

    @property
    def note(self) -> str:
        """What was folded and closed, as text; empty if nothing was."""
        closed = names_text(n.name for n in self.graph.nodes.values() if "inside" in n.settings)
        return " · ".join(filter(None, (self.grouped, f"closed: {closed}" if closed else "")))

    @property
    def grouped(self) -> str:
        """Which nodes were folded into one, as text; empty if none were."""
        groups = [n for n in self.graph.nodes.values() if "folded" in n.settings]
        names = ", ".join(map(label, groups))
        if len(groups) > 3:
            names = f"{sum(int(n.settings['folded']) for n in groups)} nodes into {len(groups)} boxes"
        return f"folded: {names}" if names else ""


def fold_graph(graph: Graph, depth: int | None = None, *, most: int = MOST_BOXES) -> FoldedGraph:
    """Return the graph folded until it is readable, or with `depth` open levels.

    Args:
        graph: the graph.
        depth: number of open container levels, with only large groups of one name folded; None decides by size.
            Branches don't count as levels.
        most: most boxes in the result, where folding can reach that.
    """
    if depth is not None:
        return _opened(graph, depth)
    found = FoldedGraph(graph, {})
    for found in fold_steps(graph):
        if is_readable(found.graph, most):
            break
    return found


def _opened(graph: Graph, depth: int) -> FoldedGraph:
    now = _closed_from(graph, _levels_around(graph), depth)
    return _then(now, _by_name(now.graph, fewest=MOST_ACROSS + 1))


def close_containers(graph: Graph, paths: Collection[str]) -> FoldedGraph:
    """Return the graph with exactly these containers closed."""
    shown_at: dict[str, str] = {}
    for path, node in graph.nodes.items():  # outer before inner
        parent = node.parent
        if parent in shown_at:
            shown_at[path] = shown_at[parent]
        elif parent in paths:
            shown_at[path] = parent
    inside = Counter(at for path, at in shown_at.items() if not graph.nodes[path].is_pseudo)
    stands_for = {
        at: replace(graph.nodes[at], children=(), settings={**graph.nodes[at].settings, "inside": inside[at]})
        for at in set(shown_at.values())
    }
    return _replaced(graph, shown_at, stands_for)


def fold_steps(graph: Graph) -> Iterator[FoldedGraph]:
    """Yield the graph with its container cells closed, then ever smaller versions of it."""
    levels = _levels_around(graph)
    now = _cells_closed(graph)
    yield now
    deepest = max(levels.values(), default=-1)
    shut = (partial(_closed_from, levels=levels, depth=level) for level in range(deepest, -1, -1))
    steps: list[Callable[[Graph], FoldedGraph]] = [
        _large_closed,
        _crowded_closed,
        *shut,
        _branches_closed,
        _by_name,
        _by_level,
        _by_stretch,
    ]
    for step in steps:
        smaller = step(now.graph)
        if smaller.shown_at:
            now = _then(now, smaller)
            yield now


def _containers(graph: Graph) -> dict[str, None]:
    """Return the containers of drawn nodes, outer before inner."""
    return {node.parent: None for node in graph.nodes.values() if node.parent and node.kind is not Kind.CONSTANT}


def _cells_closed(graph: Graph) -> FoldedGraph:
    """Close the container cells: what encodes and decodes their values is of interest only to who opens them."""
    return close_containers(graph, {path for path in _containers(graph) if "language" in graph.nodes[path].settings})


def _large_closed(graph: Graph) -> FoldedGraph:
    """Close the outermost containers with more than a few nodes inside."""
    inside: Counter[str] = Counter()
    for path, node in graph.nodes.items():
        while not node.is_pseudo and (path := path.rpartition("/")[0]):
            inside[path] += 1
    return close_containers(graph, {path for path in _open_containers(graph) if inside[path] > FEW_INSIDE})


def _open_containers(graph: Graph) -> set[str]:
    """Return the containers that a picture would frame: a branch has no frame."""
    return {path for path in _containers(graph) if graph.nodes[path].kind is not Kind.BRANCH}


def _crowded_closed(graph: Graph) -> FoldedGraph:
    return close_containers(graph, _crowded(graph))


def _closed_from(graph: Graph, levels: Mapping[str, int], depth: int) -> FoldedGraph:
    """Close the containers that are inside `depth` or more others; branches don't count and stay open."""
    return close_containers(graph, {p for p in _open_containers(graph) if levels[p] >= depth})


def _branches_closed(graph: Graph) -> FoldedGraph:
    return close_containers(graph, {path for path, node in graph.nodes.items() if node.kind is Kind.BRANCH})


def is_readable(graph: Graph, most: int = MOST_BOXES) -> bool:
    """Whether a picture of the graph is neither too big nor too wide."""
    boxes = size_of(graph)
    if boxes > most or (boxes > MOST_OPEN and _open_containers(graph)):
        return False
    if boxes <= MOST_ACROSS:
        return True
    levels = levels_of(graph)
    is_low = all(max(family.values()) < MOST_DOWN for family in levels.values())
    return is_low and _across(levels, "") <= MOST_ACROSS


def _levels_around(graph: Graph) -> dict[str, int]:
    """Return each container's nesting depth."""
    return {path: _level(graph, path) for path in _containers(graph)}


def _level(graph: Graph, path: str) -> int:
    """Return the number of containers around the node, without branches."""
    level = 0
    while path := path.rpartition("/")[0]:
        level += graph.nodes[path].kind is not Kind.BRANCH
    return level


def size_of(graph: Graph) -> int:
    """Return the number of boxes in a picture of the graph; constants are written into other boxes."""
    return sum(node.kind is not Kind.CONSTANT for node in graph.nodes.values())


def _across(levels: Mapping[str, Mapping[str, int]], parent: str) -> int:
    """Return the number of boxes side by side at the widest level under the parent."""
    widths: Counter[int] = Counter()
    for path, level in levels.get(parent, {}).items():
        widths[level] += max(1, _across(levels, path))
    return max(widths.values(), default=0)


def _crowded(graph: Graph) -> frozenset[str]:
    """Return containers that are too big to read by themselves, or make up more than half of the picture."""
    levels = levels_of(graph)
    size: Counter[str] = Counter()
    for path in graph.nodes:
        while path := path.rpartition("/")[0]:
            size[path] += 1
    return frozenset(
        path
        for path, inside in size.items()
        if inside > MOST_BOXES // 2 or (inside > MOST_ACROSS and _across(levels, path) > MOST_ACROSS)
    )


def _by_name(graph: Graph, fewest: int = FEWEST_ALIKE) -> FoldedGraph:
    """Fold siblings with the same name on the same level into one node."""
    groups: dict[tuple[object, ...], list[str]] = {}
    for parent, family in levels_of(graph).items():
        for path, level in family.items():
            node = graph.nodes[path]
            if _can_join(graph, node):
                groups.setdefault((parent, level, node.kind, node.name), []).append(path)
    return _grouped(graph, [g for g in groups.values() if len(g) >= fewest])


def _by_level(graph: Graph) -> FoldedGraph:
    """Fold all siblings on the same level into one node."""
    groups: dict[tuple[object, ...], list[str]] = {}
    for parent, family in levels_of(graph).items():
        for path, level in family.items():
            if _can_join(graph, graph.nodes[path]):
                groups.setdefault((parent, level), []).append(path)
    return _grouped(graph, [g for g in groups.values() if len(g) > 1])


def _by_stretch(graph: Graph) -> FoldedGraph:
    """Fold neighbouring levels into one node each, so that at most `MOST_STRETCHES` remain."""
    groups: list[list[str]] = []
    families = levels_of(graph).values()
    for family in families:
        stretch = -(-(max(family.values()) + 1) // MOST_STRETCHES)
        found: dict[int, list[str]] = {}
        for path, level in family.items():
            if _can_join(graph, graph.nodes[path]):
                found.setdefault(level // stretch, []).append(path)
        groups += [g for g in found.values() if len(g) > 1]
    return _grouped(graph, groups, {path: level for f in families for path, level in f.items()})


def _can_join(graph: Graph, node: Node) -> bool:
    """Whether the node may be folded: pseudo nodes, failure handlers and open containers may not."""
    if (
        node.is_pseudo
        or "asked" in node.settings
        or node.kind is Kind.FAILURE
        or node.children
        or f"{node.path}/@inputs" in graph.nodes
    ):
        return False
    return not any(e.kind is EdgeKind.CASE for e in graph.edges_into(node.path))


def _grouped(graph: Graph, groups: list[list[str]], levels: Mapping[str, int] | None = None) -> FoldedGraph:
    """Return the graph with one node for each group; `levels` is given if a group can be on several."""
    shown_at: dict[str, str] = {}
    stands_for: dict[str, Node] = {}
    for members in groups:
        node = _stand_in(graph, members)
        if levels is not None and (down := len({levels[path] for path in members})) > 1:
            node = replace(node, settings={**node.settings, "levels": down})
        stands_for[node.path] = node
        for path in members:
            shown_at[path] = node.path
            shown_at.update(
                (e.source, node.path)
                for e in graph.edges_into(path)
                if graph.nodes[e.source].kind is Kind.CONSTANT and len(graph.edges_from(e.source)) == 1
            )
    return _replaced(graph, shown_at, stands_for)


def _stand_in(graph: Graph, members: list[str]) -> Node:
    """Return one node for many, at a path derived from the first."""
    nodes = [graph.nodes[p] for p in members]
    number = sum(int(n.settings.get("folded", 1)) for n in nodes)
    names = Counter(n.name if "names" not in n.settings else str(n.settings["names"]) for n in nodes)
    first = nodes[0]
    stale = list(dict.fromkeys(str(n.settings["stale"]) for n in nodes if "stale" in n.settings))
    said: dict[str, Setting] = {"stale": stale[0] if len(stale) == 1 else f"{len(stale)} changes"} if stale else {}
    path = f"{first.parent}/{_FOLDED}-{first.id}" if first.parent else f"{_FOLDED}-{first.id}"
    if len(names) == 1 and len({n.kind for n in nodes}) == 1:
        kept = {k: v for k, v in first.settings.items() if all(n.settings.get(k) == v for n in nodes)}
        return replace(first, path=path, settings={**kept, **said, "folded": number}, children=())
    kinds = Counter(n.kind for n in nodes)
    listed = names_text(name for name, _ in names.most_common())
    look = {
        k: v for k in ("colour", "badge") if (v := first.settings.get(k)) and all(n.settings.get(k) == v for n in nodes)
    }
    return Node(path, kinds.most_common(1)[0][0], "nodes", settings={**look, **said, "folded": number, "names": listed})


def _replaced(graph: Graph, shown_at: Mapping[str, str], stands_for: Mapping[str, Node]) -> FoldedGraph:
    """Return the graph with nodes replaced and edges redirected to the replacements, without duplicates."""
    if not shown_at:
        return FoldedGraph(graph, {})
    nodes: dict[str, Node] = {}
    for path, node in graph.nodes.items():
        at = shown_at.get(path, path)
        if at not in nodes:
            nodes[at] = stands_for.get(at, node)
    for path, node in nodes.items():
        if node.children and any(c in shown_at for c in node.children):
            children = tuple(dict.fromkeys(c if c in nodes else shown_at[c] for c in node.children))
            nodes[path] = replace(node, children=children)
    edges: dict[Edge, None] = {}
    for edge in graph.edges:
        source, target = shown_at.get(edge.source, edge.source), shown_at.get(edge.target, edge.target)
        if source is edge.source and target is edge.target:
            edges[edge] = None
        elif source != target:
            edges[_between_groups(edge, source, target, shown_at)] = None
    return FoldedGraph(replace(graph, nodes=nodes, edges=tuple(edges)), shown_at)


def _between_groups(edge: Edge, source: str, target: str, shown_at: Mapping[str, str]) -> Edge:
    """Return an edge with a folded end; the port inside a closed container isn't visible outside."""
    output = "" if edge.source in shown_at else edge.output
    taken = "" if edge.target in shown_at else edge.input.split("[")[0]
    kind = EdgeKind.DATA if edge.kind is EdgeKind.CASE else edge.kind
    return Edge(source, target, kind, output, taken)


def _then(first: FoldedGraph, second: FoldedGraph) -> FoldedGraph:
    """Return two foldings, one after the other, as one."""
    shown_at = {path: second.shown_at.get(at, at) for path, at in first.shown_at.items()}
    return FoldedGraph(second.graph, {**second.shown_at, **shown_at})
