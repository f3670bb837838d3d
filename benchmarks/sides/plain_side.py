"""The plain limit: what the standard library, a copy, the `dot` program or the cache's own store needs for the same."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import boxes
import cells
import pages
from editing import Cells
from editing import resume as edited
from fresh import filled, in_fresh_process, with_diskcache
from serving import serve

pool = ThreadPoolExecutor(16)


@dataclass
class Point:
    x: float
    name: str


def add_one(x: int) -> int:
    return x + 1


def nap() -> int:
    time.sleep(0.1)
    return 1


def short_nap(x: int) -> int:
    time.sleep(0.05)
    return x + 1


def count_odd() -> int:
    odd = 0
    for i in range(3_000_000):
        odd += i & 1
    return odd


def chain(size: int) -> int:
    x = 0
    for _ in range(size):
        x = pool.submit(add_one, x).result()
    return x


def fan_out(size: int) -> int:
    naps = [pool.submit(nap) for _ in range(size)]
    return sum(n.result() for n in naps)


def cpu(size: int) -> Callable[[], int]:
    processes = ProcessPoolExecutor(len(os.sched_getaffinity(0)))

    def once() -> int:
        counts = [processes.submit(count_odd) for _ in range(size)]
        return sum(c.result() for c in counts)

    return once


def frames(rows: int) -> Callable[[], Any]:
    """One copy per boundary."""
    from numpy import ones
    from pandas import DataFrame

    given = DataFrame(ones((rows, 4)), columns=["a", "b", "c", "d"])

    def once() -> list[float]:
        frame = given
        for _ in range(4):
            frame = frame.copy()
            frame.iloc[0, 0] += 1
        return [float(frame.copy().iloc[0, 0]), float(given.iloc[0, 0])]

    return once


def arrays(length: int) -> Callable[[], Any]:
    """One copy per boundary."""
    from numpy import ones

    given = ones(length)

    def once() -> list[float]:
        array, kept = given, []
        for _ in range(4):
            array = array.copy()
            array[0] += 1
            kept.append(array)  # whoever wants to look at every node's output afterwards has to keep it
        return [float(array.copy()[0]), float(given[0])]

    return once


def dataclasses_cross(size: int) -> Callable[[], Any]:
    """One pickle round trip per boundary."""
    given = [Point(float(i), f"p{i}") for i in range(size)]

    def crossed(points: list[Point]) -> list[Point]:
        found: list[Point] = pickle.loads(pickle.dumps(points, protocol=5))
        return found

    return lambda: sum(p.x for p in crossed([Point(p.x + 1, p.name) for p in crossed(given)]))


def cache_key(rows: int) -> Callable[[], Any]:
    """The fastest digest of the standard library, over the bytes."""
    from numpy import ones

    first, other = ones((4, rows)), ones((4, rows))

    def key(block: Any) -> str:
        return hashlib.sha1(memoryview(block).cast("B")).hexdigest()

    expected = key(other)
    return lambda: key(first) == expected


def draw(size: int) -> Callable[[], Any]:
    width = round(size**0.5)
    above = ["x"] * width
    lines, made = ["digraph { node [shape=box]"], 0
    while made < size:
        row = [f"n{made + i}" for i in range(min(width, size - made))]
        for i, name in enumerate(row):
            lines.append(f'{name} [label="add"]; {above[i]} -> {name}; {above[(i + 1) % len(above)]} -> {name}')
        made += len(row)
        above = row
    text = "\n".join([*lines, "}"])

    def once() -> int:
        done = subprocess.run(["dot", "-Tsvg"], input=text, capture_output=True, text=True, check=True)
        return done.stdout.count('class="node"') - 1

    return once


def resume(size: int) -> Callable[[], Any]:
    def again(chain: Cells) -> Callable[[], int]:
        def run() -> int:
            x = 0
            for n in range(1, size + 1):
                x = getattr(chain, f"t{n}")(x)
            return x

        return run

    return edited(size, "", "", again)


def layout(size: int, *, has_equal_boxes: bool = True) -> Callable[[], Any]:
    from layouts import by_dot, measured  # imported here: the plain side has no other use for flytenb

    return measured(by_dot, has_equal_boxes=has_equal_boxes)(size)


serve(
    resume=resume,
    layout=layout,
    layout_names=partial(layout, has_equal_boxes=False),
    chain=lambda size: lambda: chain(size),
    fan_out=lambda size: lambda: fan_out(size),
    map_tasks=lambda size: lambda: sum(pool.map(short_nap, range(size))),
    cpu=cpu,
    frames=frames,
    arrays=arrays,
    dataclasses_cross=dataclasses_cross,
    container_bubblewrap=boxes.plain_bubblewrap,
    container_docker=boxes.plain_docker,
    container_r=boxes.plain_r,
    cache_same=filled(with_diskcache),
    cache_fresh=in_fresh_process("plain"),
    kept_fresh=in_fresh_process("files"),
    cache_key=cache_key,
    load=cells.load("%load_ext autoreload", '"IPython.extensions.autoreload" in __import__("sys").modules'),
    draw=draw,
    live=cells.live(is_loaded=False),
    page=pages.page("bare"),
)
