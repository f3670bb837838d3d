"""redun: lazy expressions on a scheduler that keeps its records in memory; values cross by pickle."""

import time
from dataclasses import dataclass
from typing import Any

from editing import Cells
from editing import resume as edited
from redun import Scheduler, task
from redun.config import Config
from serving import serve

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
def move_points(points: list) -> list:
    return [Point(p.x + 1, p.name) for p in points]


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


def dataclasses_cross(size: int) -> Any:
    given = [Point(float(i), f"p{i}") for i in range(size)]
    return lambda: scheduler.run(sum_points(move_points(given)))


def resume(size: int) -> Any:
    def again(chain: Cells) -> Any:
        def run() -> int:
            x: Any = 0
            for n in range(1, size + 1):
                x = getattr(chain, f"t{n}")(x)
            return int(scheduler.run(x))

        return run

    return edited(size, "from redun import task\nredun_namespace = 'edited'", "@task()\n", again)


serve(
    chain=lambda size: lambda: chain(size),
    fan_out=lambda size: lambda: scheduler.run(total([nap(i) for i in range(size)])),
    dataclasses_cross=dataclasses_cross,
    resume=resume,
)
