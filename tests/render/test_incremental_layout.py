"""A graph that grows during a run: what was there stays where it stood."""

from __future__ import annotations

import random
import re
from itertools import combinations

import pytest

from flytenb.model import Graph, Kind
from flytenb.render.drawing import Drawing, draw
from tests import render_samples as samples
from tests.render.test_clear_arrows import loose, passed

PLACE = re.compile(r'data-path="([^"]*)"[^>]*>(?:<title>[^<]*</title>)?<rect class="ft-shape" x="([^"]*)" y="([^"]*)" '
                   r'width="([^"]*)" height="([^"]*)"')  # fmt: skip
Rect = tuple[float, float, float, float]


def before() -> Graph:
    b = samples.GraphBuilder("grows", "n: int; m: int", "o0: str")
    b.task("n0", "prepare", "n: int", "int")
    b.task("n1", "explore", "n: int", "list[int]", kind=Kind.DYNAMIC)
    b.task("n2", "aside", "n: int", "int")
    b.task("n3", "above", "m: int", "int")
    b.task("n4", "report", "xs: list[int]; y: int; z: int", "str")
    b.feed("@inputs.n -> n0.n", "n0.o0 -> n1.n", "n0.o0 -> n2.n", "@inputs.m -> n3.m")
    b.feed("n1.o0 -> n4.xs", "n2.o0 -> n4.y", "n3.o0 -> n4.z", "n4.o0 -> @outputs.o0")
    return b.graph()


def inside(number: int, under: str = "n1") -> Graph:
    b = samples.GraphBuilder("explore")
    for i in range(number):
        b.task(f"{under}/n{i}", f"look_{i}", "n: int", "int")
        if i > 1:
            b.feed(f"{under}/n{i - 2}.o0 -> {under}/n{i}.n")
    return b.graph()


def places(drawing: Drawing) -> dict[str, Rect]:
    found: dict[str, Rect] = {}
    for path, *numbers in PLACE.findall(drawing.svg):
        x, y, width, height = map(float, numbers)
        found.setdefault(path, (x, y, x + width, y + height))
    return found


def is_before(one: Rect, other: Rect, axis: int) -> bool:
    return one[axis + 2] <= other[axis]


@pytest.mark.parametrize("number", [1, 2, 5, 9])
def test_what_was_there_stays_where_the_container_that_opens_leaves_room(number: int) -> None:
    first = draw(before())
    old = places(first)
    graph = before().merged(inside(number), "n1")
    grown, fresh = draw(graph, previous=first), draw(graph)
    new = places(grown)
    assert set(new) == set(places(fresh))
    left, top, _, bottom = old["n1"]
    for path, (x, y, *_) in old.items():
        more_x, more_y = new[path][0] - x, new[path][1] - y
        assert more_x >= -0.1 and more_y >= -0.1
        if old[path][2] < left:
            assert more_x == pytest.approx(0, abs=0.1)
        if old[path][3] < top:
            assert more_y == pytest.approx(0, abs=0.1)
        if y > bottom and path != "n1":
            assert more_y == pytest.approx((new["n1"][3] - new["n1"][1]) - (bottom - top), abs=0.2)


def test_nothing_changes_places_and_nothing_overlaps() -> None:
    first = draw(before())
    old, new = places(first), places(draw(before().merged(inside(7), "n1"), previous=first))
    for one, other in combinations(old, 2):
        for axis in (0, 1):
            if is_before(old[one], old[other], axis):
                assert is_before(new[one], new[other], axis)
    leaves = {path: rect for path, rect in new.items() if path != "n1"}
    for one, other in combinations(leaves.values(), 2):
        apart = any(is_before(a, b, axis) for axis in (0, 1) for a, b in ((one, other), (other, one)))
        assert apart
    left, top, right, bottom = new["n1"]
    for path, (x, y, to_x, to_y) in new.items():
        if path.startswith("n1/"):
            assert left <= x and to_x <= right and top <= y and to_y <= bottom
        elif path != "n1":
            assert to_x <= left or x >= right or to_y <= top or y >= bottom


def test_lines_begin_and_end_at_their_boxes_after_growth() -> None:
    first = draw(before())
    assert first.svg
    grown = draw(before().merged(inside(4), "n1"), previous=first)
    rects = places(grown)
    line = re.compile(
        r'data-source="(n\d)" data-target="(n\d)"[^>]*>(?:<title>[^<]*</title>)?'
        r'<path class="ft-line" d="M([\d.-]+) ([\d.-]+)C[^"]*"/><path d="M([\d.-]+) ([\d.-]+)L'
    )
    found = line.findall(grown.svg)
    assert {(source, target) for source, target, *_ in found} >= {("n0", "n1"), ("n1", "n4"), ("n2", "n4")}
    for source, target, x, y, to_x, to_y in found:
        for path, px, py in ((source, float(x), float(y)), (target, float(to_x), float(to_y))):
            left, top, right, bottom = rects[path]
            assert left - 2 <= px <= right + 2
            assert top - 2 <= py <= bottom + 2


def test_a_container_that_is_filled_further_keeps_what_stands_around_it() -> None:
    first = draw(before())
    assert first.svg
    second = draw(before().merged(inside(2), "n1"), previous=first)
    two = places(second)
    three = places(draw(before().merged(inside(6), "n1"), previous=second))
    above = [path for path in two if two[path][3] < two["n1"][1]]
    assert "n0" in above
    for path in above:
        assert three[path] == pytest.approx(two[path], abs=0.1)
    assert {f"n1/n{i}" for i in range(6)} <= set(three)


def test_two_containers_side_by_side_share_the_room_that_they_need() -> None:
    b = samples.GraphBuilder("two", "n: int")
    for i in range(2):
        b.task(f"n{i}", f"explore_{i}", "n: int", "int", kind=Kind.DYNAMIC)
        b.feed(f"@inputs.n -> n{i}.n", f"n{i}.o0 -> n2.xs[{i}]")
    b.task("n2", "total", "xs: list[int]", "int")
    graph = b.graph()
    first = draw(graph)
    old = places(first)
    one = places(draw(graph.merged(inside(4, "n0"), "n0"), previous=first))
    both = places(draw(graph.merged(inside(4, "n0"), "n0").merged(inside(4, "n1"), "n1"), previous=first))
    assert both["n2"][1] == pytest.approx(one["n2"][1], abs=0.1) and one["n2"][1] > old["n2"][1]


def test_another_graph_is_laid_out_anew() -> None:
    first = draw(samples.pipeline())
    assert first.svg
    assert places(draw(before(), previous=first)) == places(draw(before()))


@pytest.mark.parametrize("seed", [0, 1, 5, 7, 9, 10])
def test_arrows_stay_clear_of_a_container_that_opens(seed: int) -> None:
    dice, b = random.Random(seed), samples.GraphBuilder("g", "x: int")
    opened = dice.sample(range(3, 9), 2)
    for i in range(12):
        kind = Kind.DYNAMIC if i in opened else Kind.TASK
        name = dice.choice(["load", "clean_all", "train_the_model"])
        b.task(f"n{i}", name, "a0: int; a1: int; a2: int", "int", kind=kind)
        taken = dice.sample(range(max(0, i - 7), i), min(i, dice.choice((1, 2, 2, 3)))) if i > 1 else []
        b.feed(*([f"n{k}.o0 -> n{i}.a{j}" for j, k in enumerate(taken)] or [f"@inputs.x -> n{i}.a0"]))
    graph = b.graph()
    drawing = draw(graph)
    assert passed(drawing) == []
    for i in opened:
        graph = graph.merged(inside(6, f"n{i}"), f"n{i}")
        drawing = draw(graph, previous=drawing)
        assert passed(drawing) == []


def test_an_arrow_to_a_container_that_is_filled_further_ends_at_its_border() -> None:
    drawing = draw(before())
    for number in (2, 6):
        assert drawing.svg
        drawing = draw(before().merged(inside(number), "n1"), previous=drawing)
        assert (loose(drawing), passed(drawing)) == ([], [])
