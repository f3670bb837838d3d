"""Dask's delayed functions on its threads; values are shared, not isolated."""

import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import dask
from serving import serve


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
def count_odd(i: int) -> int:
    odd = 0
    for n in range(3_000_000):
        odd += n & 1
    return odd


@dask.delayed
def total(xs: list) -> int:
    return sum(xs)


@dask.delayed
def move_points(points: list) -> list:
    return [Point(p.x + 1, p.name) for p in points]


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
    given = dask.delayed([Point(float(i), f"p{i}") for i in range(size)], traverse=False)
    made = sum_points(move_points(given))
    return lambda: made.compute(scheduler="threads")


def cpu(size: int) -> Any:
    processes = ProcessPoolExecutor(len(os.sched_getaffinity(0)), mp_context=get_context("spawn"))
    counts = total([count_odd(i) for i in range(size)])
    return lambda: counts.compute(scheduler="processes", pool=processes)


if __name__ == "__main__":
    serve(chain=chain, fan_out=fan_out, cpu=cpu, dataclasses_cross=dataclasses_cross)
