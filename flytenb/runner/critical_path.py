"""Critical path of a run: the nodes whose durations add up to the duration of the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flytenb.model import Graph

Span = tuple[float, float]
"""Start and end of a node, in seconds."""


def critical_path(graph: Graph, spans: Mapping[str, Span]) -> tuple[str, ...]:
    """Return the paths of the nodes on the critical path, by start.

    It ends with the node that ended last. Before each of its nodes comes the one that ended last of those that the node
    depends on. Containers are left out: the nodes in them are on the path.

    Args:
        graph: the graph of the run.
        spans: start and end by path; nodes that haven't started are missing.
    """
    last = _last_inside(graph, spans)
    found = []
    at = max(last.values(), key=lambda path: spans[path][1], default=None)
    while at is not None:
        found.append(at)
        start = spans[at][0]
        before = [path for path in _before(graph, at, last) if path not in found and spans[path][1] <= start + 1e-6]
        at = max(before, key=lambda path: spans[path][1], default=None)
    return tuple(reversed(found))


def _last_inside(graph: Graph, spans: Mapping[str, Span]) -> dict[str, str]:
    """Return for each node the last one to end of those in it; for a node without nodes in it, the node itself."""
    started = [path for path in spans if path in graph.nodes]
    containers = {path.rpartition("/")[0] for path in started}
    last: dict[str, str] = {}
    for path in sorted((path for path in started if path not in containers), key=lambda path: spans[path][1]):
        around = path
        while around:
            last[around] = path
            around = around.rpartition("/")[0]
    return last


def _before(graph: Graph, path: str, last: Mapping[str, str]) -> Iterator[str]:
    """Yield the nodes that a node depends on directly, through the borders of containers."""
    todo, seen = [path], {path}
    while todo:
        at = todo.pop()
        around = at.rpartition("/")[0]
        sources = [edge.source for edge in graph.edges_into(at)]
        for source in [*sources, *([around] if around else [])]:
            if source in seen:
                continue
            seen.add(source)
            if source in sources and source in last:
                yield last[source]
            else:
                todo.append(source)
