"""Nodes whose code has changed since the last run: the reason is in every format, and the boxes are hatched."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from flytenb.model import Graph, Kind, Node, NodeState, Phase
from flytenb.render.drawing import Drawing, draw

WHY = "`scale` was redefined in cell 12"


def graph_of(*stale: str, names: tuple[str, ...] = ("a", "b")) -> Graph:
    nodes = {f"n{i}": Node(f"n{i}", Kind.TASK, name) for i, name in enumerate(names)}
    marked = {p: replace(n, settings={"stale": WHY}) for p, n in nodes.items() if n.name in stale}
    return Graph("wf", Kind.SUBWORKFLOW, {**nodes, **marked})


def hatched(drawing: Drawing) -> set[str]:
    """The paths of the boxes with a hatched outline."""
    root = ElementTree.fromstring(drawing.svg)
    patterns = {f"url(#{e.get('id')}) none" for e in root.iter() if e.tag.endswith("pattern")}
    return {
        str(e.get("data-path"))
        for e in root.iter()
        for inner in e
        if e.get("data-path") and inner.get("fill") in patterns
    }


@pytest.mark.parametrize("state", [None, NodeState(Phase.SUCCEEDED, 0.2)])
def test_a_stale_node_says_so_in_every_format(state: NodeState | None) -> None:
    states = {} if state is None else {"n0": state, "n1": state}
    drawing = draw(graph_of("a"), states=states)
    for text in (drawing.text, drawing.dot, drawing.svg, drawing.html):
        assert text.count("stale: `scale`") >= 1
    assert "stale: #96;scale#96; was redefined" in drawing.mermaid
    assert "  class n0 stale" in drawing.mermaid
    assert drawing.dot.count("dashed,filled") == 1
    assert hatched(drawing) == {"n0"}
    assert 'aria-label="a, task, stale' in drawing.svg


def test_what_is_up_to_date_looks_as_ever() -> None:
    drawing = draw(graph_of())
    assert hatched(drawing) == set()
    assert all("stale" not in text for text in (drawing.text, drawing.dot, drawing.mermaid))
    assert "<pattern" not in drawing.svg


def test_a_long_reason_stays_within_its_box() -> None:
    node = Node("n0", Kind.TASK, "a", settings={"stale": "`x` was redefined in cell 1, " * 40})
    drawing = draw(Graph("wf", Kind.SUBWORKFLOW, {"n0": node}))
    box = drawing._scene.boxes[0]
    assert len(box.lines) == 4
    assert max(line.width for line in box.lines) <= 236


def test_folded_nodes_are_stale_if_one_of_them_is() -> None:
    names = tuple("ab"[i % 2] for i in range(100))
    drawing = draw(graph_of("b", names=names))
    assert len(drawing.graph.nodes) < 100
    assert {node.name for node in drawing.graph.nodes.values() if "stale" in node.settings} <= {"b", "nodes"}
    assert WHY in drawing.text
    assert hatched(drawing)
