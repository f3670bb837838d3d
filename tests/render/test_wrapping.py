"""Pictures that would be wider than a page: the boxes of crowded ranks are on several ranks, so that it fits."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from flytenb.errors import LayoutTimeoutError
from flytenb.model import Edge, EdgeKind, Graph, Kind, Node
from flytenb.render.clearance import passes_boxes
from flytenb.render.dot import PAGE, layout_dot
from flytenb.render.drawing import Drawing
from flytenb.render.layout import Positions, lay_out
from flytenb.render.polish import arrange, polish
from flytenb.render.scene import Scene, build_scene
from flytenb.render.straight_arrows import bends, crossings
from tests import render_samples as samples
from tests.examples import examples
from tests.render.test_clear_arrows import passed, pipelines


def arranged(scene: Scene) -> tuple[Positions, list[str]]:
    """The layout of a scene, and the DOT texts of all layouts that were tried."""
    given = []

    def noted(dot: str) -> Positions:
        given.append(dot)
        return lay_out(dot, 60.0)

    return arrange(scene, noted), given


def is_wrapping(dot: str) -> bool:
    return re.search(r"{rank=same \w+( \w+)*}", dot) is not None


def wide_scene(seed: int) -> Scene:
    scene = build_scene(pipelines().layered(60, seed))
    assert lay_out(layout_dot(scene, is_narrow=True)).width > PAGE
    return scene


@pytest.mark.sampled(4)
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("number", [30, 60])
def test_a_random_workflow_fits_a_page(number: int, seed: int) -> None:
    drawing = Drawing(pipelines().layered(number, seed))
    width = drawing.svg.partition('width="')[2].partition('"')[0]
    assert float(width) <= 960
    assert passed(drawing) == []


@examples(25, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(15, 60), st.integers(0, 10**6))
def test_arrows_of_a_random_workflow_go_down_and_pass_no_box(number: int, seed: int) -> None:
    drawing = Drawing(pipelines().layered(number, seed))
    assert passed(drawing) == []
    at = drawing._at
    assert at is not None
    assert len(at.boxes) == len(drawing._scene.boxes)
    for arrow in drawing._scene.arrows:
        assert at.boxes[f"n{arrow.tail}"][1] < at.boxes[f"n{arrow.head}"][1]


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_what_fits_a_page_is_not_wrapped(name: str) -> None:
    found, given = arranged(build_scene(samples.SAMPLES[name]()))
    assert found.width > PAGE or not any(map(is_wrapping, given))


def chains(number: int, length: int) -> Graph:
    """Chains between two tasks."""
    nodes = {name: Node(name, Kind.TASK, "spread_or_collect") for name in ("first", "last")}
    edges = []
    for chain in range(number):
        paths = [f"c{chain}_{at}" for at in range(length)]
        nodes |= {path: Node(path, Kind.TASK, "a_step_of_it") for path in paths}
        edges += [Edge(a, b) for a, b in pairwise(["first", *paths, "last"])]
    return Graph("g", Kind.SUBWORKFLOW, nodes, tuple(edges))


@pytest.mark.parametrize(("number", "length", "rows"), [(9, 2, 2), (10, 3, 2), (12, 2, 3), (16, 3, 4), (20, 1, 4)])
def test_chains_side_by_side_are_put_into_rows_of_whole_chains(number: int, length: int, rows: int) -> None:
    scene = build_scene(chains(number, length))
    found, _ = arranged(scene)
    assert found.width <= PAGE
    at = {box.path: found.boxes[f"n{box.number}"] for box in scene.boxes}
    heights = [[at[f"c{chain}_{step}"][1] for step in range(length)] for chain in range(number)]
    steps = sorted({height for each in heights for height in each})
    assert len(steps) == rows * length
    assert all(steps.index(each[-1]) - steps.index(each[0]) == length - 1 for each in heights)  # none is divided
    assert all(at["first"][1] < each[0] and each[-1] < at["last"][1] for each in heights)
    sizes = Counter(each[0] for each in heights)
    assert max(sizes.values()) - min(sizes.values()) <= rows - 1


def test_what_collects_parts_is_below_all_their_rows_although_they_have_ends_of_their_own() -> None:
    plain = chains(9, 2)
    ends = {f"e{chain}_{at}": Node(f"e{chain}_{at}", Kind.TASK, "an_end") for chain in range(9) for at in range(3)}
    more = [edge for chain in range(9) for edge in pairwise([f"c{chain}_1", *(f"e{chain}_{at}" for at in range(3))])]
    edges = (*plain.edges, *(Edge(tail, head) for tail, head in more))
    scene = build_scene(Graph("g", Kind.SUBWORKFLOW, {**plain.nodes, **ends}, edges))
    found, _ = arranged(scene)
    assert found.width <= PAGE
    at = {box.path: found.boxes[f"n{box.number}"][1] for box in scene.boxes}
    assert all(at[edge.source] < at[edge.target] for edge in edges)
    assert at["last"] > max(height for path, height in at.items() if path != "last")


def test_single_boxes_after_each_other_are_exactly_under_each_other() -> None:
    graph = regions(5)
    scene = build_scene(graph)
    found, given = arranged(scene)
    assert any(map(is_wrapping, given))
    across = {box.path: found.boxes[f"n{box.number}"][0] for box in scene.boxes}
    assert [across[f"join{i}"] - across[f"split{i}"] for i in range(5)] == pytest.approx([0.0] * 5, abs=0.5)


def test_parts_of_one_shape_are_alike_and_their_rows_begin_at_the_left() -> None:
    scene = build_scene(regions(5))
    found, _ = arranged(scene)
    left = {box.path: found.boxes[f"n{box.number}"][0] - box.width / 2 for box in scene.boxes}
    height = {box.path: found.boxes[f"n{box.number}"][1] for box in scene.boxes}
    rows: dict[float, list[int]] = {}
    for i in range(5):
        rows.setdefault(height[f"users{i}"], []).append(i)
    assert sorted(map(len, rows.values())) == [1, 2, 2]
    steps = ("users", "events", "join", "features", "split", "forest", "linear", "pick")
    starts = [min(left[f"{step}{i}"] for i in numbers for step in steps) for numbers in rows.values()]
    assert starts == pytest.approx([starts[0]] * 3, abs=1.0)
    orders = {
        tuple(left[f"{one}{i}"] < left[f"{other}{i}"] for one, other in (("users", "events"), ("forest", "linear")))
        for i in range(5)
    }
    assert len(orders) == 1
    assert found.width <= PAGE


def test_crowds_between_different_boxes_are_put_into_rows_without_being_alike() -> None:
    one, other = chains(9, 2), chains(9, 2)
    again = {f"{path}_": replace(node, path=f"{path}_") for path, node in other.nodes.items()}
    edges = (*one.edges, *(Edge(f"{edge.source}_", f"{edge.target}_") for edge in other.edges))
    scene = build_scene(Graph("g", Kind.SUBWORKFLOW, {**one.nodes, **again}, edges))
    found, _ = arranged(scene)
    assert found.boxes
    assert not passes_boxes(scene, found)


def regions(number: int) -> Graph:
    """Parts side by side, in each of which two boxes are joined and split again."""
    edges = []
    for i in range(number):
        edges += [
            ("first", f"users{i}"),
            ("first", f"events{i}"),
            (f"users{i}", f"join{i}"),
            (f"events{i}", f"join{i}"),
        ]
        edges += [(f"join{i}", f"features{i}"), (f"features{i}", f"split{i}")]
        edges += [(f"split{i}", f"forest{i}"), (f"split{i}", f"linear{i}"), (f"split{i}", f"pick{i}")]
        edges += [(f"forest{i}", f"pick{i}"), (f"linear{i}", f"pick{i}"), (f"pick{i}", "last")]
    names = dict.fromkeys(name for edge in edges for name in edge)
    nodes = {name: Node(name, Kind.TASK, f"{name}_of_a_region") for name in names}
    return Graph("g", Kind.SUBWORKFLOW, nodes, tuple(Edge(tail, head) for tail, head in edges))


def test_a_crowd_of_more_than_four_rows_is_not_put_into_rows() -> None:
    found, given = arranged(build_scene(chains(40, 3)))
    assert found.width > PAGE
    assert not any(map(is_wrapping, given))


@pytest.mark.parametrize("number", [100, 1000])
def test_ranks_that_are_all_full_are_not_wrapped(number: int) -> None:
    """There would be many more of them, and long arrows."""
    _, given = arranged(build_scene(samples.layered(number, across=10)))
    assert not any(map(is_wrapping, given))


@pytest.mark.sampled(2)
@pytest.mark.parametrize("seed", range(8))
def test_arrows_of_a_wrapped_picture_turn_and_cross_less_than_in_one_that_is_moved_together(seed: int) -> None:
    scene = build_scene(pipelines().layered(60, seed))
    found, given = arranged(scene)
    assert any(map(is_wrapping, given))
    assert found.width <= PAGE
    narrow = polish(scene, lay_out(layout_dot(scene, is_narrow=True), 60.0))
    assert narrow is not None
    assert bends(found.arrows) < 30
    assert bends(found.arrows) + crossings(found.arrows) < 1.2 * (bends(narrow.arrows) + crossings(narrow.arrows))


def test_cases_of_a_branch_stay_beside_each_other() -> None:
    graph = samples.layered(40, across=3)
    nodes = {**graph.nodes, "b": Node("b", Kind.BRANCH, "choose")}
    cases = [Node(f"b/n{i}", Kind.TASK, "a_rather_long_name") for i in range(9)]
    nodes |= {case.path: case for case in cases}
    edges = [Edge("b", case.path, EdgeKind.CASE, label="x > 1") for case in cases]
    found, given = arranged(build_scene(Graph("g", Kind.SUBWORKFLOW, nodes, (*graph.edges, *edges))))
    assert found.width > PAGE
    assert not any(map(is_wrapping, given))


def test_a_wrapped_layout_that_takes_too_long_is_left_out() -> None:
    scene = wide_scene(0)

    def only_plain(dot: str) -> Positions:
        if is_wrapping(dot):
            raise LayoutTimeoutError("too slow")
        return lay_out(dot)

    assert arrange(scene, only_plain).width > PAGE
    assert arrange(scene, lay_out).width <= PAGE


def test_a_wrapped_layout_in_which_arrows_pass_boxes_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flytenb.render.polish.passes_boxes", lambda scene, at: True)
    assert arrange(wide_scene(0), lay_out).width > PAGE
