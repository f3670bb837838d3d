"""The parts that a node can't do without, each by itself, beside whole runs of flytenb, flytekit and the plain side.

Processor time of all threads in µs per element or node, which a busy machine changes less than seconds. The parts
take turns in one process; the least of the rounds counts, printed with the median. JSON lines on standard output.
"""

from __future__ import annotations

import argparse
import contextvars
import gc
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "sides"))
Parts = dict[str, Callable[[], Any]]


def replaced(once: Callable[[], Any], owner: Any, name: str, other: Any) -> Callable[[], Any]:
    """Return a run of which one part is replaced, to see what that part takes in it."""

    def run() -> Any:
        before = getattr(owner, name)
        setattr(owner, name, other)
        try:
            return once()
        finally:
            setattr(owner, name, before)

    return run


def floors_of_map(size: int) -> Parts:
    """Return the parts of a map over small pydantic models."""
    from flows import add_one, total
    from flytekit import FlyteContextManager, map_task, workflow
    from models import Reading, make_readings, move, moved

    import flytenb
    from flytenb.bridge.context import Workspace
    from flytenb.bridge.crossing import packer, unpacker
    from flytenb.reach.state_uses import NOTHING, state_use_of
    from flytenb.runner import entity_plan

    @workflow
    def added(xs: list[int]) -> int:
        return total(xs=map_task(add_one)(x=xs))

    readings, function = make_readings(size), move.task_function
    pack, unpack, pool, workspace = packer(Reading), unpacker(Reading, Reading), ThreadPoolExecutor(16), Workspace()
    held = [pack(reading) for reading in readings]
    context = FlyteContextManager.current_context()

    def enter_as_flytekit() -> None:
        for _ in range(size):
            state = context.execution_state.with_params()
            with FlyteContextManager.with_context(context.with_execution_state(state)):
                pass

    def enter_as_flytenb() -> None:
        for _ in range(size):
            contextvars.copy_context().run(workspace.enter_unmade)

    def run() -> Any:
        return flytenb.run(moved, readings=readings).result

    def without_collector() -> None:
        gc.disable()
        try:
            run()
        finally:
            gc.enable()

    def stateless(task: Any, **how: Any) -> Any:
        return NOTHING, state_use_of(task, **how)[1]

    def motionless(task: Any, **how: Any) -> Any:
        return state_use_of(task, **how)[0], False

    def isolated(reading: Reading) -> Reading:
        return function(reading=reading.model_copy()).model_copy()

    return {
        "flytekit: the whole run": lambda: moved(readings=readings),
        "flytenb: the whole run": run,
        "flytenb: without the state that tasks use": replaced(run, entity_plan, "state_use_of", stateless),
        "flytenb: without the working directory": replaced(run, entity_plan, "state_use_of", motionless),
        "flytenb: without the garbage collector": without_collector,
        "flytenb: the same map over integers": lambda: flytenb.run(added, xs=list(range(size))).result,
        "plain: thread pool, function, copies of input and output": lambda: list(pool.map(isolated, readings)),
        "part: the function": lambda: [function(reading=each) for each in readings],
        "part: a copy of input and output, by pydantic": lambda: [r.model_copy().model_copy() for r in readings],
        "part: input copied, output proven and copied, by flytenb": lambda: [pack(unpack(value)) for value in held],
        "part: flytekit's context": enter_as_flytekit,
        "part: flytenb's context": enter_as_flytenb,
    }


def floors_of_cache(size: int) -> Parts:
    """Return the parts of a chain of cached nodes of which nothing has changed."""
    import sqlite3

    from diskcache import Cache
    from flows import add_one_cached, chain
    from fresh import with_diskcache

    import flytenb
    from flytenb.bridge import private
    from flytenb.bridge.workflow.policy import task_policy
    from flytenb.cache import store
    from flytenb.cache.task_cache import TaskCache

    cached, uncached = chain(size, is_cached=True), chain(size)
    plain = with_diskcache(size)
    flytenb.run(cached, x=0).wait()
    plain()
    cache = TaskCache(add_one_cached, task_policy(add_one_cached))
    keys = [cache.key({"x": x}) for x in range(size)]
    opened = private.cache_store()
    bare = sqlite3.connect(Path(opened.directory) / "cache.db", isolation_level=None)
    find = "SELECT mode, value FROM Cache WHERE key = ? AND raw = 1"

    def open_only() -> None:
        with closing(Cache(opened.directory)) as other:
            other.get("")

    def run() -> Any:
        return flytenb.run(cached, x=0).result

    found = {key: store.read(key) for key in keys}
    return {
        "flytenb: the whole run": run,
        "flytenb: with look-ups in a dict": replaced(run, store, "read", found.get),
        "flytenb: the same chain without a cache": lambda: flytenb.run(uncached, x=0).result,
        "plain: diskcache, opened and read": plain,
        "part: opening the store, which flytenb does once": open_only,
        "part: look-ups by diskcache's get": lambda: [opened.get(key) for key in keys],
        "part: look-ups by a bare SELECT": lambda: [bare.execute(find, (key,)).fetchone() for key in keys],
        "part: look-ups by flytenb": lambda: [store.read(key) for key in keys],
        "part: keys": lambda: [cache.key({"x": x}, in_moment=True) for x in range(size)],
    }


def floors_of_chain(size: int) -> Parts:
    """Return the parts of a short chain, whose fixed cost counts."""
    from flows import add_one, chain

    import flytenb
    from flytenb.reach.staleness import recompile_stale

    workflow, function, pool = chain(size), add_one.task_function, ThreadPoolExecutor(16)

    def plain() -> int:
        x = 0
        for _ in range(size):
            x = pool.submit(function, x).result()
        return x

    return {
        "flytenb: the whole run": lambda: flytenb.run(workflow, x=0).result,
        "plain: thread pool": plain,
        "part: whether the workflow is up to date": lambda: recompile_stale(workflow),
        "part: two switches between threads": lambda: pool.submit(int).result(),
    }


def floors_of_frames(rows: int) -> Parts:
    """Return the copies of a frame that five tasks pass on; a run keeps what was given and what each task returns."""
    from big_flows import frame_through, make_frame

    import flytenb

    frame, few = make_frame(rows), make_frame(10)

    def copies(number: int, *, are_kept: bool) -> Callable[[], Any]:
        def run() -> list[Any]:
            last, held = frame, []
            for _ in range(number):
                last = last.copy()
                last.iloc[0, 0] += 1
                if are_kept:
                    held.append(last)
            return held

        return run

    return {
        "flytenb: the whole run": lambda: flytenb.run(frame_through, frame=frame).result,
        "flytenb: the same run of ten rows": lambda: flytenb.run(frame_through, frame=few).result,
        "plain: five copies, each freed by the next": copies(5, are_kept=False),
        "plain: five copies that are kept": copies(5, are_kept=True),
        "plain: six copies that are kept": copies(6, are_kept=True),
    }


FLOORS = {
    "frames": (floors_of_frames, 1_000_000, 5),
    "map": (floors_of_map, 1000, 1000),
    "cache": (floors_of_cache, 100, 100),
    "chain": (floors_of_chain, 10, 10),
}
"""The parts of each workload, its size, and the number of elements or nodes that share the time."""


def measure(name: str, rounds: int) -> None:
    """Print one line per part of a workload."""
    find, size, sharing = FLOORS[name]
    parts = find(size)
    taken: dict[str, list[float]] = {part: [] for part in parts}
    for number in range(-1, rounds):  # the first round warms up
        for part, once in parts.items():
            start = time.process_time()
            once()
            if number >= 0:
                taken[part].append((time.process_time() - start) / sharing * 1e6)
    for part, each in taken.items():
        row = {"workload": name, "size": size, "part": part, "least_us": round(min(each), 1)}
        print(json.dumps({**row, "median_us": round(statistics.median(each), 1), "load": os.getloadavg()[0]}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", default=list(FLOORS), help=f"which of {', '.join(FLOORS)}; default: all")
    parser.add_argument("--rounds", type=int, default=15, help="rounds of all parts (default: 15)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["HOME"] = home  # the caches of both sides
        for each in options.only:
            measure(each, options.rounds)
