"""Hamilton: functions joined by the names of their parameters; no isolation, no checks of types."""

import sys
import time
from dataclasses import dataclass
from typing import Any

import path  # noqa: F401
from hamilton import ad_hoc_utils, driver
from hamilton.plugins import h_threadpool
from side import serve

sys.setrecursionlimit(20_000)  # it walks a chain by recursion


@dataclass
class Point:
    x: float
    name: str


def chain(size: int) -> Any:
    made: dict[str, Any] = {}
    for i in range(size):
        exec(f"def n{i + 1}(n{i}: int) -> int:\n    return n{i} + 1\n", made)
    module = ad_hoc_utils.create_temporary_module(*(made[f"n{i + 1}"] for i in range(size)))
    dag = driver.Builder().with_modules(module).build()
    return lambda: dag.execute([f"n{size}"], inputs={"n0": 0})[f"n{size}"]


def fan_out(size: int) -> Any:
    made: dict[str, Any] = {"time": time}
    for i in range(size):
        exec(f"def s{i}() -> int:\n    time.sleep(0.1)\n    return 1\n", made)
    names = [f"s{i}" for i in range(size)]
    exec(f"def total({', '.join(f'{n}: int' for n in names)}) -> int:\n    return {' + '.join(names)}\n", made)
    module = ad_hoc_utils.create_temporary_module(*(made[n] for n in [*names, "total"]))
    threads = h_threadpool.FutureAdapter(max_workers=size)
    dag = driver.Builder().with_modules(module).with_adapters(threads).build()
    return lambda: dag.execute(["total"])["total"]


def make_points(n: int) -> list:
    return [Point(float(i), f"p{i}") for i in range(n)]


def sum_points(make_points: list) -> float:
    return sum(p.x for p in make_points)


def dataclasses_cross(size: int) -> Any:
    module = ad_hoc_utils.create_temporary_module(make_points, sum_points)
    dag = driver.Builder().with_modules(module).build()
    return lambda: dag.execute(["sum_points"], inputs={"n": size})["sum_points"]


serve(chain=chain, fan_out=fan_out, dataclasses_cross=dataclasses_cross)
