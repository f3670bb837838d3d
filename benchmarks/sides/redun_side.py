"""redun: lazy expressions on a scheduler that keeps its records in memory; values cross by pickle."""

import time
from dataclasses import dataclass
from typing import Any

import path  # noqa: F401
from redun import Scheduler, task
from redun.config import Config
from side import serve

redun_namespace = "benchmarks"


@dataclass
class Point:
    x: float
    name: str


@task(cache=False)
def add_one(x: int) -> int:
    return x + 1


@task(cache=False)
def nap(i: int) -> int:
    time.sleep(0.1)
    return 1


@task(cache=False)
def total(xs: list) -> int:
    return sum(xs)


@task(cache=False)
def make_points(n: int) -> list:
    return [Point(float(i), f"p{i}") for i in range(n)]


@task(cache=False)
def sum_points(points: list) -> float:
    return sum(p.x for p in points)


scheduler = Scheduler(config=Config({"executors.default": {"type": "local", "max_workers": 16}}))
scheduler.load()


def chain(size: int) -> Any:
    x: Any = 0
    for _ in range(size):
        x = add_one(x)
    return scheduler.run(x)


serve(
    chain=lambda size: lambda: chain(size),
    fan_out=lambda size: lambda: scheduler.run(total([nap(i) for i in range(size)])),
    dataclasses_cross=lambda size: lambda: scheduler.run(sum_points(make_points(size))),
)
