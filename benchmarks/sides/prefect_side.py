"""Prefect with its own temporary server; its tasks run on threads."""

import time
from dataclasses import dataclass
from typing import Any

import path  # noqa: F401
from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner
from side import serve


@dataclass
class Point:
    x: float
    name: str


@task
def add_one(x: int) -> int:
    return x + 1


@task
def nap(i: int) -> int:
    time.sleep(0.1)
    return 1


@task
def make_points(n: int) -> list:
    return [Point(float(i), f"p{i}") for i in range(n)]


@task
def sum_points(points: list) -> float:
    return sum(p.x for p in points)


@flow
def chain(size: int) -> int:
    x: Any = 0
    for _ in range(size):
        x = add_one.submit(x)
    return x.result()


@flow(task_runner=ThreadPoolTaskRunner(max_workers=16))
def fan_out(size: int) -> int:
    return sum(n.result() for n in [nap.submit(i) for i in range(size)])


@flow
def dataclasses_cross(size: int) -> float:
    return sum_points.submit(make_points.submit(size)).result()


serve(
    chain=lambda size: lambda: chain(size),
    fan_out=lambda size: lambda: fan_out(size),
    dataclasses_cross=lambda size: lambda: dataclasses_cross(size),
)
