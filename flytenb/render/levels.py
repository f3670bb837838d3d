"""Levels of the nodes of a graph: how many nodes must finish before each, among its siblings."""

from __future__ import annotations

from flytenb.model import Graph, Kind


def levels_of(graph: Graph) -> dict[str, dict[str, int]]:
    """Return for each container (`""` is the top) its drawn children and each one's level, counted from 0."""
    before: dict[str, set[str]] = {path: set() for path, node in graph.nodes.items() if node.kind is not Kind.CONSTANT}
    after: dict[str, list[str]] = {path: [] for path in before}
    for edge in graph.edges:
        source, target = _siblings(edge.source, edge.target)
        if source in before and target in before and source != target and source not in before[target]:
            before[target].add(source)
            after[source].append(target)
    found: dict[str, dict[str, int]] = {}
    for path in before:
        found.setdefault(path.rpartition("/")[0], {})[path] = 0
    ready = [path for path, sources in before.items() if not sources]
    while ready:
        at = ready.pop()
        family = found[at.rpartition("/")[0]]
        for path in after[at]:
            family[path] = max(family[path], family[at] + 1)
            before[path].discard(at)
            if not before[path]:
                ready.append(path)
    return found


def _siblings(source: str, target: str) -> tuple[str, str]:
    """Return the ends of an edge, replaced by their ancestors that are siblings."""
    if "/" not in source and "/" not in target:
        return source, target
    ours, theirs = source.split("/"), target.split("/")
    same = 0
    while same < min(len(ours), len(theirs)) - 1 and ours[same] == theirs[same]:
        same += 1
    return "/".join(ours[: same + 1]), "/".join(theirs[: same + 1])
