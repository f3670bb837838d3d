"""Prefect with its own temporary server; its tasks run on threads."""

import time
from dataclasses import dataclass
from typing import Any

from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner
from serving import serve


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
def move_points(points: list) -> list:
    return [Point(p.x + 1, p.name) for p in points]


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


@flow(validate_parameters=False)
def points_through(points: list) -> float:
    return sum_points.submit(move_points.submit(points)).result()


def dataclasses_cross(size: int) -> Any:
    given = [Point(float(i), f"p{i}") for i in range(size)]
    return lambda: points_through(given)


serve(
    chain=lambda size: lambda: chain(size),
    fan_out=lambda size: lambda: fan_out(size),
    dataclasses_cross=dataclasses_cross,
)
