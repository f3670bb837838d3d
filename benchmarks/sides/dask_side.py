"""Dask's delayed functions on its threads; values are shared, not isolated."""

import time
from dataclasses import dataclass
from typing import Any

import dask
import path  # noqa: F401
from side import serve


@dataclass
class Point:
    x: float
    name: str


@dask.delayed
def add_one(x: int) -> int:
    return x + 1


@dask.delayed
def nap(i: int) -> int:
    time.sleep(0.1)
    return 1


@dask.delayed
def total(xs: list) -> int:
    return sum(xs)


@dask.delayed
def make_points(n: int) -> list:
    return [Point(float(i), f"p{i}") for i in range(n)]


@dask.delayed
def sum_points(points: list) -> float:
    return sum(p.x for p in points)


def chain(size: int) -> Any:
    x: Any = 0
    for _ in range(size):
        x = add_one(x)
    return lambda: x.compute(scheduler="threads")


def fan_out(size: int) -> Any:
    naps = total([nap(i) for i in range(size)])
    return lambda: naps.compute(scheduler="threads", num_workers=size)


def dataclasses_cross(size: int) -> Any:
    made = sum_points(make_points(size))
    return lambda: made.compute(scheduler="threads")


serve(chain=chain, fan_out=fan_out, dataclasses_cross=dataclasses_cross)
