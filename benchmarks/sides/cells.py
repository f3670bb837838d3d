"""What is measured in a kernel, as the cells that a person would run in one; the sides say which tools are loaded."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from typing import Any

from kernel import Kernel
from serving import Measured

START = "import time; began = time.perf_counter()"
STOP = "print(time.perf_counter() - began)"

LAYERED = """
from flytekit import task, workflow

@task
def add(a: int, b: int) -> int:
    return a + b

@workflow
def layers(x: int) -> int:
    above, made = [x] * {width}, []
    while len(made) < {size}:
        left = range(min({width}, {size} - len(made)))
        above = [add(a=above[i], b=above[(i + 1) % len(above)]) for i in left]
        made += above
    return made[-1]
"""

CHAIN = """
from flytekit import task, workflow

@task
def add_one(x: int) -> int:
    return x + 1

@workflow
def adds(x: int) -> int:
    for _ in range({size}):
        x = add_one(x=x)
    return x
"""

NAPS = """
import time
from flytekit import task, workflow

@task
def nap(x: int) -> int:
    time.sleep(0.02)
    return 1

@task
def total(xs: list[int]) -> int:
    return sum(xs)

@workflow
def naps(x: int) -> int:
    return total(xs=[nap(x=x) for _ in range({size})])
"""

RUN_NAPS = """
import time, flytenb
began = time.perf_counter()
run = flytenb.options(workers=16).run(naps, x=1)
print(run.result, run.duration, time.perf_counter() - began)
"""

OVER_AND_OVER = """
import gc, os, threading
from pathlib import Path

def look():
    gc.collect()
    rss = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    made = sum(len(folders) + len(files) for _, folders, files in os.walk(os.environ["TMPDIR"]))
    return rss, made, threading.active_count(), len(os.listdir("/proc/self/fd"))

def runs(count):
    for _ in range(count):
        assert {run} == 10
    return look()

runs(100)
before, began = runs(10), time.perf_counter()
after = runs({size})
print(time.perf_counter() - began, *(b - a for a, b in zip(before, after)))
"""


def count_tasks(svg: str) -> int:
    """How many tasks a drawing shows."""
    return svg.count('class="ft-node ft-kind-task')


def load(load_it: str, is_there: str) -> Callable[[int], Callable[[], Any]]:
    """Time a line in a new kernel each time; `is_there` is the expression that tells whether it has worked."""

    def prepare(size: int) -> Callable[[], Any]:
        def once() -> Measured:
            with Kernel() as kernel:
                seconds, _ = kernel.run(f"{START}\n{load_it}\n{STOP}")
                found, _ = kernel.run(f"print({is_there})")
            return Measured(float(seconds), found.strip() == "True")

        return once

    return prepare


def first_draw(load_it: str, draw_it: str) -> Callable[[int], Callable[[], Any]]:
    """Time load, define and draw, a cell each, in a new kernel each time; the answer is how many nodes it has."""

    def prepare(size: int) -> Callable[[], Any]:
        def once() -> Measured:
            with Kernel() as kernel:
                kernel.run(f"{START}\n{load_it}")
                kernel.run(LAYERED.format(size=size, width=round(size**0.5)))
                said, bundles = kernel.run(draw_it)
                seconds, _ = kernel.run(STOP)
            drawn = [b.get("text/plain", "").count("  (task)") for b in bundles if "image/svg+xml" in b]
            return Measured(float(seconds), max(drawn, default=0) or int(said))

        return once

    return prepare


def live(*, is_loaded: bool) -> Callable[[int], Callable[[], Any]]:
    """Time a run of many naps, with the extension loaded, which shows it, or without; as the run itself tells it."""

    def prepare(size: int) -> Callable[[], Any]:
        kernel = Kernel()
        atexit.register(kernel.close)
        kernel.run("%load_ext flytenb" if is_loaded else "import flytenb")
        kernel.run(NAPS.format(size=size))

        def once() -> Measured:
            said, _ = kernel.run(RUN_NAPS)
            result, seconds, cell_seconds = said.split()
            return Measured(float(seconds), int(result), {"cell_s": float(cell_seconds)})

        return once

    return prepare


def memory(load_it: str, run: str) -> Callable[[int], Callable[[], Any]]:
    """Run a chain of ten nodes so many times in one kernel; the figures are what the process has more of at the end."""

    def prepare(size: int) -> Callable[[], Any]:
        def once() -> Measured:
            with Kernel() as kernel:
                kernel.run(f"import time\n{load_it}")
                kernel.run(CHAIN.format(size=10))
                said, _ = kernel.run(OVER_AND_OVER.format(size=size, run=run))
            seconds, rss, files, threads, handles = map(float, said.split())
            also = {"rss_mb": rss / 1e6, "files": files, "threads": threads, "handles": handles}
            return Measured(seconds, size * 10, also)

        return once

    return prepare
