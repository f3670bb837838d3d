"""Places in fixed ranks at which arrows turn little: what is kept of a layout, and what gets better."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from flytenb.model import Graph
from flytenb.render.alignment import aligned
from flytenb.render.clearance import passes_boxes, points_of, rects_of
from flytenb.render.dot import PAGE, layout_dot
from flytenb.render.layout import Positions, lay_out
from flytenb.render.scene import Scene, build_scene
from flytenb.render.straight_arrows import bends, crossings
from tests import render_samples as samples
from tests.examples import examples
from tests.render.test_clear_arrows import pipelines

WIDE = 3000.0


def laid_out(graph: Graph) -> tuple[Scene, Positions]:
    scene = build_scene(graph)
    return scene, lay_out(layout_dot(scene), 60.0)


def ranks(places: Mapping[str, tuple[float, float]]) -> list[list[str]]:
    """The names in each rank, from the top and from the left."""
    found = defaultdict(list)
    for name, (x, y) in places.items():
        found[round(y, 3)].append((x, name))
    return [[name for _, name in sorted(found[y])] for y in sorted(found)]


@examples(25, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(5, 60), st.integers(0, 10**6))
def test_the_ranks_and_the_order_in_each_are_kept(number: int, seed: int) -> None:
    scene, at = laid_out(pipelines().layered(number, seed))
    found = aligned(scene, at, WIDE)
    assert found is not None
    assert ranks(found.boxes) == ranks(at.boxes)
    assert {ends: len(ways) for ends, ways in found.arrows.items()} == {
        ends: len(ways) for ends, ways in at.arrows.items()
    }


@examples(25, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(5, 60), st.integers(0, 10**6))
def test_boxes_are_apart_and_arrows_are_inside_the_picture_and_pass_none(number: int, seed: int) -> None:
    scene, at = laid_out(pipelines().layered(number, seed))
    found = aligned(scene, at, WIDE)
    assert found is not None
    rects = dict(rects_of(scene, found))
    for names in ranks(found.boxes):
        for left, right in pairwise(names):
            assert rects[right][0] - rects[left][2] >= 11.99
    assert not passes_boxes(scene, found)
    lines = [points_of(way) for ways in found.arrows.values() for way in ways]
    across = [x for line in lines for x, _ in line] + [x for rect in rects.values() for x in (rect[0], rect[2])]
    assert min(across) >= -0.01
    assert max(across) <= found.width + 0.01


@examples(25, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(5, 60), st.integers(0, 10**6))
def test_arrows_go_down_from_the_lower_side_of_a_box_to_the_upper_side_of_another(number: int, seed: int) -> None:
    scene, at = laid_out(pipelines().layered(number, seed))
    found = aligned(scene, at, WIDE)
    assert found is not None
    rects = dict(rects_of(scene, found))
    starts, ends = defaultdict(list), defaultdict(list)
    for (tail, head), ways in found.arrows.items():
        for way in ways:
            points = points_of(way)
            assert all(b[1] > a[1] for a, b in pairwise(points))
            (left, _, right, bottom), (x, y) = rects[tail], points[0]
            assert left < x < right
            assert y == pytest.approx(bottom)
            starts[tail].append(x)
            (left, top, right, _), (x, y) = rects[head], points[-1]
            assert left < x < right
            assert y == pytest.approx(top)
            ends[head].append(x)
    for places in (*starts.values(), *ends.values()):
        for one, other in pairwise(sorted(places)):
            assert other - one > 0.5


def test_a_rank_that_is_too_wide_has_no_layout() -> None:
    scene, at = laid_out(samples.layered(30, across=10))
    widest = max(
        sum(box.width for box in scene.boxes if at.boxes[f"n{box.number}"][1] == y) for _, y in at.boxes.values()
    )
    assert widest > PAGE
    assert aligned(scene, at, PAGE) is None
    assert aligned(scene, at, 2 * widest) is not None


@pytest.mark.parametrize("seed", range(8))
def test_arrows_turn_and_cross_less_than_where_an_engine_has_moved_boxes_together(seed: int) -> None:
    scene = build_scene(pipelines().layered(60, seed))
    squeezed = lay_out(layout_dot(scene, is_narrow=True), 60.0)
    found = aligned(scene, lay_out(layout_dot(scene), 60.0), WIDE)
    assert found is not None
    assert bends(found.arrows) < bends(squeezed.arrows)
    assert crossings(found.arrows) < 1.1 * crossings(squeezed.arrows)


def test_the_boxes_of_a_chain_are_above_each_other_and_its_arrows_are_straight() -> None:
    scene, at = laid_out(samples.layered(6, across=1))
    found = aligned(scene, at, PAGE)
    assert found is not None
    assert len({round(x, 3) for x, _ in found.boxes.values()}) == 1
    assert bends(found.arrows) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("name", ["diamond", "branch", "bindings", "constructs", "pipeline"])
def test_arrows_with_labels_keep_them_and_turn_no_more(name: str) -> None:
    scene, at = laid_out(samples.SAMPLES[name]())
    found = aligned(scene, at, WIDE)
    assert found is not None
    assert ranks(found.boxes) == ranks(at.boxes)
    assert found.arrows.keys() == at.arrows.keys()
    assert not passes_boxes(scene, found)
    assert bends(found.arrows) < bends(at.arrows) + 0.2
