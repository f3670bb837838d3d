"""Hamilton: functions joined by the names of their parameters; no isolation, no checks of types."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from editing import Cells
from editing import resume as edited
from hamilton import ad_hoc_utils, driver
from hamilton.plugins import h_threadpool
from serving import serve

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


def move_points(points: list) -> list:
    return [Point(p.x + 1, p.name) for p in points]


def sum_points(move_points: list) -> float:
    return sum(p.x for p in move_points)


def dataclasses_cross(size: int) -> Any:
    module = ad_hoc_utils.create_temporary_module(move_points, sum_points)
    dag = driver.Builder().with_modules(module).build()
    given = [Point(float(i), f"p{i}") for i in range(size)]
    return lambda: dag.execute(["sum_points"], inputs={"points": given})["sum_points"]


def cached_chain(size: int) -> Any:
    """The chain with Hamilton's cache; returns the driver and the list in which each body that runs leaves a mark."""
    made: dict[str, Any] = {"ran": []}
    for i in range(size):
        exec(f"def n{i + 1}(n{i}: int) -> int:\n    ran.append(1)\n    return n{i} + 1\n", made)
    module = ad_hoc_utils.create_temporary_module(*(made[f"n{i + 1}"] for i in range(size)))
    folder = str(Path("~/hamilton-cache").expanduser())
    return driver.Builder().with_modules(module).with_cache(path=folder).build(), made["ran"]


def run_cached(dag: Any, ran: list, size: int) -> list:
    ran.clear()
    return [dag.execute([f"n{size}"], inputs={"n0": 0})[f"n{size}"], len(ran)]


def cache_same(size: int) -> Any:
    dag, ran = cached_chain(size)
    run_cached(dag, ran, size)
    return lambda: run_cached(dag, ran, size)


def resume(size: int) -> Any:
    folder = str(Path("~/hamilton-resume").expanduser())

    def again(chain: Cells) -> Any:
        def run() -> int:
            functions = [getattr(chain, f"t{n}") for n in range(1, size + 1)]
            module = ad_hoc_utils.create_temporary_module(*functions)
            dag = driver.Builder().with_modules(module).with_cache(path=folder).build()
            return int(dag.execute([f"t{size}"], inputs={"t0": 0})[f"t{size}"])

        return run

    return edited(size, "", "", again, "t{before}")


def define(size: int) -> Any:
    def once() -> int:
        made: dict[str, Any] = {}
        for i in range(size):
            exec(f"def n{i + 1}(n{i}: int) -> int:\n    return n{i} + 1\n", made)
        module = ad_hoc_utils.create_temporary_module(*(made[f"n{i + 1}"] for i in range(size)))
        dag = driver.Builder().with_modules(module).build()
        return sum(not v.is_external_input for v in dag.list_available_variables())

    return once


def draw(size: int) -> Any:
    width = round(size**0.5)
    made: dict[str, Any] = {}
    above, names = ["x"] * width, []
    while len(names) < size:
        row = [f"n{len(names) + i}" for i in range(min(width, size - len(names)))]
        for i, name in enumerate(row):
            taken = sorted({above[i], above[(i + 1) % len(above)]})
            exec(f"def {name}({', '.join(f'{t}: int' for t in taken)}) -> int:\n    return 0\n", made)
        names += row
        above = row
    module = ad_hoc_utils.create_temporary_module(*(made[n] for n in names))
    dag = driver.Builder().with_modules(module).build()

    def once() -> int:
        svg = dag.display_all_functions().pipe(format="svg").decode()
        return sum(f"<title>{n}</title>" in svg for n in names)

    return once


serve(
    chain=chain,
    fan_out=fan_out,
    dataclasses_cross=dataclasses_cross,
    cache_same=cache_same,
    resume=resume,
    define=define,
    draw=draw,
)
