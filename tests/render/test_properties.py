"""What holds for every graph: nothing is lost, nothing is drawn twice, nothing breaks."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter

from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from flytenb.model import Edge, EdgeKind, Graph, Interface, Kind, Node, Port
from flytenb.render.drawing import draw
from flytenb.render.folding import fold_graph, size_of
from tests.examples import examples
from tests.hostile import HOSTILE

RUNNABLE = [k for k in Kind if k not in (Kind.CASE, Kind.INPUTS, Kind.OUTPUTS, Kind.CONSTANT, Kind.SUBWORKFLOW)]
CONTAINERS = [Kind.SUBWORKFLOW, Kind.LAUNCH_PLAN, Kind.BRANCH, Kind.MAP, Kind.DYNAMIC, Kind.FAILURE]
words = st.sampled_from(["load", "f", "a_rather_long_name_of_a_task", *HOSTILE.values()])


@st.composite
def graphs(draw_from: st.DrawFn) -> Graph:
    """Workflows nested up to three deep, with edges forward among siblings and into branches, and constants."""
    nodes: dict[str, Node] = {}
    edges: dict[Edge, None] = {}

    def add_level(parent: str, depth: int, is_branch: bool) -> None:
        prefix = f"{parent}/" if parent else ""
        siblings: list[str] = []
        has_doors = not is_branch and draw_from(st.booleans())
        ports = (Port("a", "int"), Port("b", draw_from(words)))
        if has_doors:
            nodes[f"{prefix}@inputs"] = Node(f"{prefix}@inputs", Kind.INPUTS, "inputs", Interface(outputs=ports))
            siblings.append(f"{prefix}@inputs")
        for i in range(draw_from(st.integers(min_value=0 if parent else 1, max_value=4))):
            path = f"{prefix}n{i}"
            is_container = depth < 3 and draw_from(st.integers(0, 3)) == 0
            kind = draw_from(st.sampled_from(CONTAINERS if is_container else RUNNABLE))
            nodes[path] = Node(path, kind, draw_from(words), Interface(ports, (Port("o0", "int"), Port("o1", "str"))))
            for source in siblings:
                for kind_of_edge in draw_from(st.sets(st.sampled_from(["data", "two", "order"]), max_size=2)):
                    if kind_of_edge == "order" and nodes[source].kind is not Kind.INPUTS:
                        edges[Edge(source, path, EdgeKind.ORDER)] = None
                    elif kind_of_edge != "order":
                        output = "a" if nodes[source].kind is Kind.INPUTS else "o0"
                        edges[Edge(source, path, EdgeKind.DATA, output, "a" if kind_of_edge == "data" else "b[1]")] = (
                            None
                        )
            if draw_from(st.booleans()):
                at = f"{prefix}@n{i}.b"
                nodes[at] = Node(at, Kind.CONSTANT, draw_from(words))
                edges[Edge(at, path, EdgeKind.DATA, "", "b")] = None
            if is_branch:
                edges[Edge(parent, path, EdgeKind.CASE, label=draw_from(words))] = None
            if is_container:
                add_level(path, depth + 1, kind is Kind.BRANCH)
            siblings.append(path)
        if has_doors:
            nodes[f"{prefix}@outputs"] = Node(f"{prefix}@outputs", Kind.OUTPUTS, "outputs", Interface(inputs=ports))
            for source in siblings[1:]:
                edges[Edge(source, f"{prefix}@outputs", EdgeKind.DATA, "o0", "a")] = None

    add_level("", 0, False)
    outer_first = dict(sorted(nodes.items(), key=lambda item: item[0].count("/")))
    for path, node in outer_first.items():
        children = tuple(p for p, n in outer_first.items() if n.parent == path)
        outer_first[path] = Node(path, node.kind, node.name, node.interface, node.settings, children)
    return Graph(
        draw_from(words), Kind.SUBWORKFLOW, outer_first, tuple(edges), Interface(ports := (Port("a", "int"),), ports)
    )


def classes(element: ET.Element) -> list[str]:
    return element.get("class", "").split()


@examples(60, suppress_health_check=[HealthCheck.too_slow])
@given(graphs())
def test_every_node_and_every_edge_is_drawn_once(graph: Graph) -> None:
    root = ET.fromstring(draw(graph, depth=9).svg)
    drawn = Counter(
        e.get("data-path") for e in root.iter() if {"ft-node", "ft-cluster"} & {*classes(e)} and not e.get("data-ports")
    )
    wanted = Counter(path for path, node in graph.nodes.items() if not node.is_pseudo)
    boxed = {e.get("data-path") for e in root.iter() if "ft-kind-constant" in classes(e)}
    assert drawn - Counter(boxed) == wanted

    ports = Counter((e.get("data-path"), name) for e in root.iter() for name in (e.get("data-ports") or "").split())
    doors = [n for n in graph.nodes.values() if n.kind in (Kind.INPUTS, Kind.OUTPUTS)]
    every_port = Counter((n.path, p.name) for n in doors for p in (*n.interface.inputs, *n.interface.outputs))
    assert ports <= every_port
    passed = {(path, name) for path, name in every_port - ports if path is not None}
    for path, name in passed:  # an arrow or a line of a box shows what flows through a port without a pill
        around, _, side = path.rpartition("/")
        ends = (graph.edges_into(around), graph.edges_from(path))
        outer, inner = ends if side == "@inputs" else (graph.edges_from(around), graph.edges_into(path))
        assert around
        assert [e for e in outer if name in (e.input.split("[")[0], e.output)]
        assert [e for e in inner if name in (e.input.split("[")[0], e.output)]

    arrows = Counter(
        (e.get("data-source"), e.get("data-target"), classes(e)[1].removeprefix("ft-edge-"))
        for e in root.iter()
        if "ft-edge" in classes(e) and e.get("data-source")
    )
    lines = {
        e.get("data-path"): [line.text or "" for line in e.iter() if "ft-const" in classes(line)] for e in root.iter()
    }
    told_inside = {
        (e.source, e.target, str(e.kind))
        for e in graph.edges
        if (graph.nodes[e.source].kind is Kind.CONSTANT and e.source not in boxed)
        or (graph.nodes[e.target].kind is Kind.FAILURE and graph.nodes[e.source].kind is Kind.INPUTS)
        or (e.source, e.output) in passed
        or (e.target, e.input.split("[")[0]) in passed
        or (e.source == "@inputs" and any(f"← {e.output}" in line for line in lines.get(e.target, ())))
    }
    asked = {(e.source, e.target, str(e.kind)) for e in graph.edges}
    assert set(arrows) >= asked - told_inside
    assert set(arrows) <= asked
    bindings = Counter(
        (e.source, e.target, str(e.kind))
        for e in {Edge(e.source, e.target, e.kind, e.output, e.input) for e in graph.edges}
    )
    branches = 1 + 3 * len(passed)  # an arrow through a port goes on to at most three boxes
    assert all(number <= bindings[way] * branches for way, number in arrows.items())


@examples(40, suppress_health_check=[HealthCheck.too_slow])
@given(graphs(), st.integers(0, 3))
def test_every_format_can_be_made_of_every_graph_at_every_depth(graph: Graph, depth: int) -> None:
    drawing = draw(graph, depth=depth)
    ET.fromstring(drawing.svg)
    for text in (drawing.text, drawing.dot, drawing.mermaid, drawing.html):
        text.encode()
    for path in graph.nodes:
        at = drawing._shown_at(path)
        assert at in drawing.graph.nodes
        assert path == at or path.startswith(f"{at}/")


@examples(60)
@given(graphs(), st.integers(1, 12))
def test_folding_keeps_every_node_and_leaves_no_loose_edge(graph: Graph, most: int) -> None:
    folded = fold_graph(graph, None, most=most)
    assert size_of(folded.graph) <= size_of(graph)
    assert {folded.shown_at.get(path, path) for path in graph.nodes} == set(folded.graph.nodes)
    for edge in folded.graph.edges:
        assert edge.source in folded.graph.nodes
        assert edge.target in folded.graph.nodes
        assert edge.source != edge.target
    assert len(set(folded.graph.edges)) == len(folded.graph.edges)
    for node in folded.graph.nodes.values():
        assert node.parent == "" or node.parent in folded.graph.nodes
