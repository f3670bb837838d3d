"""The workloads as flytekit tasks and workflows; who runs them is left to the sides."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from types import FunctionType
from typing import Any

from flytekit import map_task, task, workflow
from mashumaro.mixins.json import DataClassJSONMixin


@dataclass
class Point(DataClassJSONMixin):
    x: float
    name: str


bodies_run = [0]
"""How often the body of a cached task ran: a hit that runs the body is none."""


@task
def add_one(x: int) -> int:
    return x + 1


@task(cache=True, cache_version="1")
def add_one_cached(x: int) -> int:
    bodies_run[0] += 1
    return x + 1


@task
def nap(x: int) -> int:
    time.sleep(0.1)
    return 1


@task
def short_nap(x: int) -> int:
    time.sleep(0.05)
    return x + 1


@task
def shortest_nap(x: int) -> int:
    time.sleep(0.02)
    return 1


@task
def count_odd(x: int) -> int:
    odd = 0
    for i in range(3_000_000):
        odd += i & 1
    return odd


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@task
def move_points(points: list[Point]) -> list[Point]:
    return [Point(p.x + 1, p.name) for p in points]


@task
def sum_points(points: list[Point]) -> float:
    return sum(p.x for p in points)


def make_points(size: int) -> list[Point]:
    return [Point(float(i), f"p{i}") for i in range(size)]


@cache
def chain(size: int, *, is_cached: bool = False) -> Any:
    one = add_one_cached if is_cached else add_one

    @workflow
    def adds(x: int) -> int:
        for _ in range(size):
            x = one(x=x)
        return x

    return adds


@cache
def all_at_once(size: int, one: Any) -> Any:
    @workflow
    def together(x: int) -> int:
        return total(xs=[one(x=x) for _ in range(size)])

    return together


@workflow
def mapped(xs: list[int]) -> int:
    return total(xs=map_task(short_nap)(x=xs))


@workflow
def points_through(points: list[Point]) -> float:
    return sum_points(points=move_points(points=points))


def adders(count: int) -> list[Any]:
    """So many tasks of different names that all add: a picture folds a crowd of one name."""
    made = []
    for i in range(count):
        function = FunctionType(add_two.__code__, add_two.__globals__, f"add_{i}")
        function.__qualname__, function.__annotations__ = function.__name__, add_two.__annotations__
        made.append(task(function))
    return made


def add_two(a: int, b: int) -> int:
    return a + b


def scale(x: int) -> int:
    return x * len(bodies_run)


def scale_and_add(x: int) -> int:
    return scale(x) + 1


def tasks_of_their_own(size: int) -> Any:
    """A workflow of as many tasks as nodes, which share a helper and what that reads."""
    tasks = []
    for i in range(size):
        function = FunctionType(scale_and_add.__code__, scale_and_add.__globals__, f"scale_{i}")
        function.__qualname__, function.__annotations__ = function.__name__, scale_and_add.__annotations__
        tasks.append(task(function))

    @workflow
    def side_by_side(x: int) -> int:
        return [each(x=x) for each in tasks][-1]

    return side_by_side


@cache
def layered(size: int) -> Any:
    """As many layers as nodes in a layer; each node takes two neighbours of the layer above."""
    width = round(size**0.5)
    tasks = adders(-(-size // 10))

    @workflow
    def layers(x: int) -> int:
        above: list[Any] = [x] * width
        made: list[Any] = []
        while len(made) < size:
            left = min(width, size - len(made))
            row = [tasks[(len(made) + i) % len(tasks)](a=above[i], b=above[(i + 1) % len(above)]) for i in range(left)]
            made += row
            above = row if left == width else above
        return made[-1]

    return layers
