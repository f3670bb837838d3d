"""What is too big to read becomes small enough, and says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flytenb.model import Graph
from flytenb.render import captions
from flytenb.render.folding import (
    MOST_ACROSS,
    MOST_BOXES,
    MOST_STRETCHES,
    close_containers,
    fold_graph,
    is_readable,
)
from flytenb.render.levels import levels_of
from flytenb.render.scene import build_scene
from tests import render_samples as samples


def run_paths(graph: Graph) -> set[str]:
    return {path for path, node in graph.nodes.items() if not node.is_pseudo}


@pytest.mark.parametrize("name", [n for n in samples.SAMPLES if n != "fan_out"])
def test_what_a_reader_can_take_in_is_left_alone(name: str) -> None:
    graph = samples.SAMPLES[name]()
    folded = fold_graph(graph)
    assert folded.graph is graph
    assert folded.note == ""


def test_depth_closes_containers_below_it_and_counts_what_they_hold() -> None:
    graph = samples.nested()
    closed = fold_graph(graph, 0)
    assert run_paths(closed.graph) == {"n0", "n1", "n2"}
    assert closed.graph.nodes["n1"].settings["inside"] == 5
    assert closed.shown_at["n1/n1/n0"] == "n1"
    one = fold_graph(graph, 1)
    assert run_paths(one.graph) == {"n0", "n1", "n2", "n1/n0", "n1/n1", "n1/n2"}
    assert one.shown_at["n1/n1/n1"] == "n1/n1"
    assert run_paths(fold_graph(graph, 2).graph) == run_paths(graph)


def test_edges_that_cross_into_a_closed_container_end_at_its_wall() -> None:
    graph = samples.branch()
    closed = close_containers(graph, {"n1"}).graph
    assert run_paths(closed) == {"n0", "n1", "n2"}
    ends = {(e.source, e.target) for e in closed.edges}
    assert ("n0", "n1") in ends
    assert all(source != target for source, target in ends)


def test_a_branch_is_no_level() -> None:
    assert run_paths(fold_graph(samples.branch(), 0).graph) == run_paths(samples.branch())


def test_nodes_of_one_name_on_one_level_become_one() -> None:
    folded = fold_graph(samples.fan_out())
    assert run_paths(folded.graph) == {"n0", "@folded-n1", "n41"}
    group = folded.graph.nodes["@folded-n1"]
    assert (group.name, group.settings) == ("process", {"retries": 1, "folded": 40})
    assert folded.note == "folded: process × 40"
    assert folded.shown_at["n17"] == "@folded-n1"
    assert {(e.source, e.target) for e in folded.graph.edges} >= {("n0", "@folded-n1"), ("@folded-n1", "n41")}


def test_a_chosen_depth_folds_nothing_else_but_crowds_of_one_name() -> None:
    assert run_paths(fold_graph(samples.fan_out(), 9).graph) == {"n0", "@folded-n1", "n41"}
    for graph in (samples.layered(400, across=40), samples.layered(200, across=MOST_ACROSS), samples.long_chain(200)):
        assert fold_graph(graph, 9).graph is graph


def test_nodes_of_many_names_are_folded_by_level() -> None:
    folded = fold_graph(samples.layered(200, across=20))
    assert len(folded.graph.nodes) == 10
    assert {n.settings["folded"] for n in folded.graph.nodes.values()} == {20}
    assert folded.note == "folded: 200 nodes into 10 boxes"


def test_a_container_that_is_too_big_alone_is_closed_and_the_others_stay_open() -> None:
    b = samples.GraphBuilder("g", "n: int")
    b.task("n0", "small", kind=samples.Kind.SUBWORKFLOW)
    b.task("n0/n0", "inner", "", "int")
    b.task("n1", "huge", kind=samples.Kind.SUBWORKFLOW)
    for i in range(80):
        b.task(f"n1/n{i}", f"step_{i}", "", "int")
    folded = fold_graph(b.graph())
    assert run_paths(folded.graph) == {"n0", "n0/n0", "n1"}
    assert folded.note == "closed: huge"


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [lambda n: samples.layered(n, 100), lambda n: samples.layered(n, 7), samples.long_chain],
    ids=["w", "n", "c"],
)
def test_ten_thousand_nodes_fold_to_a_picture_that_can_be_read(make: Callable[[int], Graph]) -> None:
    folded = fold_graph(make(10_000))
    assert is_readable(folded.graph)
    assert len(run_paths(folded.graph)) <= MOST_STRETCHES
    assert sum(int(n.settings.get("folded", 1)) for n in folded.graph.nodes.values() if not n.is_pseudo) == 10_000
    assert set(folded.shown_at.values()) <= set(folded.graph.nodes)


def test_readable_means_neither_too_many_nor_too_wide_nor_too_high() -> None:
    assert is_readable(samples.layered(MOST_BOXES, across=10))
    assert not is_readable(samples.layered(MOST_BOXES + 1, across=10))
    assert is_readable(samples.layered(MOST_ACROSS, across=MOST_ACROSS))
    assert not is_readable(samples.layered(MOST_ACROSS + 1, across=MOST_ACROSS + 1))
    assert not is_readable(samples.long_chain(70))


def test_levels_count_an_edge_into_a_branch_for_the_branch() -> None:
    levels = levels_of(samples.branch())
    assert levels[""]["n1"] == 2
    assert levels["n1"] == {"n1/n0": 0, "n1/n1": 0, "n1/@else": 0}


def test_a_stretch_is_not_drawn_as_if_it_ran_side_by_side() -> None:
    scene = build_scene(fold_graph(samples.long_chain(100)).graph)
    folded = [box for box in scene.boxes if "folded" in box.node.settings]
    assert {box.shape for box in folded} == {"box"}
    assert {captions.badges(box.node)[0] for box in folded} == {"one after the other"}
    (side_by_side,) = (b for b in build_scene(fold_graph(samples.fan_out()).graph).boxes if "folded" in b.node.settings)
    assert side_by_side.shape == "stack"


def test_large_subworkflows_are_closed_beside_many_nodes_and_small_ones_stay_open() -> None:
    b = samples.GraphBuilder("g")
    for outer, inside in enumerate((7, 7, 7, 7, 7, 6)):
        b.task(f"n{outer}", f"part_{outer}", "", "", samples.Kind.SUBWORKFLOW)
        for i in range(inside):
            b.task(f"n{outer}/n{i}", f"step_{i}", "", "")
    folded = fold_graph(b.graph())
    assert {path for path, node in folded.graph.nodes.items() if "inside" in node.settings} == {
        f"n{i}" for i in range(5)
    }
    assert "n5/n5" in folded.graph.nodes
    assert "closed: part_0…4" in folded.note
