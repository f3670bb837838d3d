"""The line with the fewest turns through passages, beside that of all lines that turn at their ends."""

from __future__ import annotations

from itertools import pairwise, product
from math import atan2, dist, pi

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flytenb.render.passages import Passage, line_through, rounded_turns
from tests.examples import examples

NARROWEST = 0.01


@st.composite
def passages(draw: st.DrawFn) -> list[Passage]:
    found, y = [], 0.0
    for _ in range(draw(st.integers(2, 5))):
        left = draw(st.integers(0, 200))
        found.append((y, float(left), float(left + draw(st.integers(0, 60)))))
        y += draw(st.integers(5, 60))
    return found


def turns(line: list[tuple[float, float]]) -> float:
    angles = [atan2(b[1] - a[1], b[0] - a[0]) for a, b in pairwise(line)]
    return sum(abs(b - a) for a, b in pairwise(angles)) / (pi / 2)


def across(line: list[tuple[float, float]], y: float) -> float:
    (a, b), (c, d) = next(pair for pair in pairwise(line) if pair[0][1] <= y <= pair[1][1])
    return a + (c - a) * (y - b) / (d - b)


def cost(line: list[tuple[float, float]], start_x: float, end_x: float) -> float:
    ends = abs(line[0][0] - start_x) + abs(line[-1][0] - end_x)
    return 250 * turns(line) + sum(dist(a, b) for a, b in pairwise(line)) + ends / 4


def is_through(line: list[tuple[float, float]], free: list[Passage]) -> bool:
    return all(left - NARROWEST <= across(line, y) <= right + NARROWEST for y, left, right in free)


@examples(200)
@given(passages(), st.integers(0, 250), st.integers(0, 250))
def test_no_line_that_turns_at_ends_of_passages_costs_less(free: list[Passage], start: int, end: int) -> None:
    found = line_through(free, start, end)
    assert is_through(found, free)
    places = [sorted({left + i * (right - left) / 6 for i in range(7)}) for _, left, right in (free[0], free[-1])]
    inner = [(None, left, right) for _, left, right in free[1:-1]]
    for first, last, *between in product(*places, *inner):
        corners = [(x, y) for x, (y, _, _) in zip(between, free[1:-1], strict=True) if x is not None]
        line = [(first, free[0][0]), *corners, (last, free[-1][0])]
        if is_through(line, free):
            assert turns(found) < 1e-9 or cost(found, start, end) <= cost(line, start, end) + 1


@pytest.mark.parametrize("x", [10.0, 55.0])
def test_a_straight_line_is_taken_where_there_is_one(x: float) -> None:
    free = [(0.0, 0.0, 60.0), (30.0, 50.0, 90.0), (60.0, 40.0, 60.0)]
    found = line_through(free, 10.0, x)
    assert len(found) == 2
    assert is_through(found, free)


def test_corners_are_rounded_by_a_few_pixels() -> None:
    curve = rounded_turns([(0, 0), (0, 100), (100, 200)])
    assert curve[:2] == (0, 0)
    assert curve[-2:] == (100, 200)
    assert min(dist((0, 100), point) for point in zip(curve[::2], curve[1::2], strict=True)) < 15
