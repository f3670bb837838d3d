"""Selection of a part of a graph: upstream of a node, downstream of it, or between two nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flytenb.model import Graph, Kind


def select_subgraph(
    graph: Graph, *, upstream: str | None = None, downstream: str | None = None, between: tuple[str, str] | None = None
) -> Graph:
    """Return the union of the requested parts, or the graph itself if nothing was requested.

    A selected node keeps its contents and constants; unused ports of inputs and outputs nodes are dropped.

    Raises:
        UnknownNameError: if the graph has no such node; the hint has the closest names.
    """
    if upstream is None and downstream is None and between is None:
        return graph
    kept: set[str] = set()
    if upstream is not None:
        kept |= {graph.node(upstream).path, *graph.upstream(upstream)}
    if downstream is not None:
        kept |= {graph.node(downstream).path, *graph.downstream(downstream)}
    if between is not None:
        first, last = (graph.node(name).path for name in between)
        kept |= ({first, *graph.downstream(first)} & {last, *graph.upstream(last)}) | {first, last}
    named = [name for name in (upstream, downstream, *(between or ())) if name is not None]
    part = _only_used_doors(graph.subgraph(_with_belongings(graph, kept, named)))
    return _described(part, graph, named, _words(graph, upstream, downstream, between))


def _words(graph: Graph, upstream: str | None, downstream: str | None, between: tuple[str, str] | None) -> str:
    """Return which part it is: `upstream of train (n3)`."""
    wishes = [("upstream of", (upstream,)), ("downstream of", (downstream,)), ("between", between or (None,))]
    return " and ".join(
        f"{words} {' and '.join(f'{graph.node(n).name} ({graph.node(n).path})' for n in names if n is not None)}"
        for words, names in wishes
        if names[0] is not None
    )


def _described(part: Graph, whole: Graph, named: Sequence[str], words: str) -> Graph:
    """Add which part it is and of how many nodes to its settings, and a mark to the nodes that were named."""
    nodes = dict(part.nodes)
    for name in named:
        path = whole.node(name).path
        nodes[path] = replace(nodes[path], settings={**nodes[path].settings, "asked": True})
    number = sum(not node.is_pseudo for node in whole.nodes.values())
    return replace(part, nodes=nodes, settings={**part.settings, "part": words, "whole": number})


def _with_belongings(graph: Graph, kept: set[str], named: Sequence[str]) -> set[str]:
    """Add the constants of the selected nodes and the contents of the named ones."""
    whole = tuple(f"{graph.node(name).path}/" for name in named)
    full = kept | {path for path in graph.nodes if path.startswith(whole)}
    fixed = {e.source for e in graph.edges if e.target in full and graph.nodes[e.source].kind is Kind.CONSTANT}
    return full | fixed


def _only_used_doors(graph: Graph) -> Graph:
    """Drop the ports of inputs and outputs nodes that no edge uses."""
    nodes = dict(graph.nodes)
    for path, node in graph.nodes.items():
        if node.kind is Kind.INPUTS:
            used = {e.output for e in graph.edges_from(path)}
        elif node.kind is Kind.OUTPUTS:
            used = {e.input for e in graph.edges_into(path)}
        else:
            continue
        names = {name.split(".")[0].split("[")[0] for name in used}
        interface = node.interface
        nodes[path] = replace(
            node,
            interface=replace(
                interface,
                inputs=tuple(p for p in interface.inputs if p.name in names),
                outputs=tuple(p for p in interface.outputs if p.name in names),
            ),
        )
    return replace(graph, nodes=nodes)
