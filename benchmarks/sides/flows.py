"""The workloads as flytekit tasks and workflows; who runs them is left to the sides."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from typing import Any

from flytekit import task, workflow
from mashumaro.mixins.json import DataClassJSONMixin


@dataclass
class Point(DataClassJSONMixin):
    x: float
    name: str


@task
def add_one(x: int) -> int:
    return x + 1


@task
def nap(x: int) -> int:
    time.sleep(0.1)
    return 1


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@task
def make_points(n: int) -> list[Point]:
    return [Point(float(i), f"p{i}") for i in range(n)]


@task
def sum_points(points: list[Point]) -> float:
    return sum(p.x for p in points)


@cache
def chain(size: int) -> Any:
    @workflow
    def adds(x: int) -> int:
        for _ in range(size):
            x = add_one(x=x)
        return x

    return adds


@cache
def fan_out(size: int) -> Any:
    @workflow
    def naps(x: int) -> int:
        return total(xs=[nap(x=x) for _ in range(size)])

    return naps


@workflow
def points(n: int) -> float:
    return sum_points(points=make_points(n=n))
