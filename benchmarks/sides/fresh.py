"""A cached chain in a process that has just started; prints how long its first run took and its answer."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from serving import Measured


def in_fresh_process(who: str) -> Callable[[int], Callable[[], Any]]:
    """Fill the cache, then start a new process each time, which answers from it."""

    def prepare(size: int) -> Callable[[], Any]:
        def once() -> Measured:
            command = [sys.executable, str(Path(__file__)), who, str(size)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            return Measured(**json.loads(done.stdout))

        once()
        return once

    return prepare


def with_diskcache(size: int) -> Callable[[], Any]:
    """The store itself, under keys that are there already."""
    from diskcache import Cache

    folder = str(Path("~/plain-cache").expanduser())

    def run() -> list[int]:
        x, missed = 0, 0
        with Cache(folder) as cache:
            for _ in range(size):
                found = cache.get(f"add_one-{x}")
                if found is None:
                    missed += 1
                    found = x + 1
                    cache.set(f"add_one-{x}", found)
                x = found
        return [x, missed]

    return run


def with_flytekit(size: int) -> Callable[[], Any]:
    from flows import bodies_run, chain

    adds = chain(size, is_cached=True)
    adds.compile()

    def run() -> list[int]:
        bodies_run[0] = 0
        return [adds(x=0), bodies_run[0]]

    return run


def with_flytenb(size: int) -> Callable[[], Any]:
    from flows import bodies_run, chain

    import flytenb
    from flytenb.reach.staleness import recompile_stale

    adds, start = chain(size, is_cached=True), flytenb.run
    recompile_stale(adds)  # with flytenb's checks, as `adds.compile()` does where the extension is loaded

    def run() -> list[int]:
        bodies_run[0] = 0
        return [start(adds, x=0).result, bodies_run[0]]

    return run


def filled(make: Callable[[int], Callable[[], Any]]) -> Callable[[int], Callable[[], Any]]:
    """The same in one process, with everything in the cache before it is timed."""

    def prepare(size: int) -> Callable[[], Any]:
        run = make(size)
        run()
        return run

    return prepare


ITEMS = 100_000


def with_files(size: int) -> Callable[[], Any]:
    """Rows of SQLite, each with the name of a file that numpy loads."""
    import numpy as np

    folder = Path("~/plain-kept").expanduser()
    if not folder.exists():
        folder.mkdir()
        with sqlite3.connect(folder / "rows.sqlite") as connection:
            connection.execute("CREATE TABLE arrays (file TEXT)")
            for number in range(size):
                np.save(folder / f"{number}.npy", np.full(ITEMS, float(number)))
                connection.execute("INSERT INTO arrays VALUES (?)", (f"{number}.npy",))
        connection.close()

    def run() -> list[Any]:
        with sqlite3.connect(folder / "rows.sqlite") as connection:
            arrays = [np.load(folder / file) for (file,) in connection.execute("SELECT file FROM arrays")]
        return [len(arrays), float(sum(array[-1] for array in arrays))]

    return run


def with_kept_run(size: int) -> Callable[[], Any]:
    import numpy as np  # noqa: F401 - the other side has imported it too

    import flytenb

    folder, load = Path("~/kept").expanduser(), flytenb.load_run
    if not folder.exists():
        from big_flows import many_arrays

        run = flytenb.options(keep=str(folder)).run(many_arrays(size, ITEMS))
        while not run.is_kept:
            time.sleep(0.01)
    identifier = load_only(folder)

    def run_back() -> list[Any]:
        arrays = [node.outputs["o0"] for node in load(identifier, str(folder)).nodes.values()]
        return [len(arrays), float(sum(array[-1] for array in arrays))]

    return run_back


def load_only(folder: Path) -> str:
    """The id of the only run in a folder."""
    [made] = (folder / "files").iterdir()
    return made.name


WHO = {
    "plain": with_diskcache,
    "flytekit": with_flytekit,
    "flytenb": with_flytenb,
    "files": with_files,
    "kept": with_kept_run,
}

if __name__ == "__main__":
    run = WHO[sys.argv[1]](int(sys.argv[2]))
    began, worked = time.perf_counter(), time.process_time()
    result = run()
    seconds, worked = time.perf_counter() - began, time.process_time() - worked
    print(json.dumps({"seconds": seconds, "result": result, "also": {"cpu_s": worked}}))
