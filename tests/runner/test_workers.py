"""The threads that all runs share: as many as are busy at once, never one that keeps the interpreter from going on."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from flytekit.utils.asyn import loop_manager

from flytenb.runner.workers import WorkerPool
from tests.waiting import PATIENCE, wait_for


def test_a_thread_that_has_said_that_its_job_is_over_takes_the_next_one() -> None:
    pool = WorkerPool("test-released")
    threads: set[int] = set()
    for _ in range(200):
        over = threading.Event()

        def job(over: threading.Event = over) -> None:
            threads.add(threading.get_ident())
            pool.release()
            over.set()

        pool.submit(job)
        assert over.wait(PATIENCE)
    assert len(threads) == 1
    assert repr(pool) == "<WorkerPool test-released: 1 threads, 1 idle>"


def test_only_the_pool_s_own_threads_count_as_idle() -> None:
    pool = WorkerPool("test-foreign")
    pool.release()
    assert repr(pool) == "<WorkerPool test-foreign: 0 threads, 0 idle>"


def test_jobs_that_wait_for_each_other_each_have_a_thread() -> None:
    pool = WorkerPool("test-together")
    together = threading.Barrier(9)
    for _ in range(8):
        pool.submit(lambda: together.wait(PATIENCE) and None)
    together.wait(PATIENCE)


def test_the_loop_thread_of_a_new_thread_has_its_working_directory(tmp_path: Path) -> None:
    pool, found = WorkerPool("test-moved"), []

    async def here() -> str:
        return os.getcwd()  # noqa: PTH109

    def move_to(folder: Path) -> None:
        os.chdir(folder)
        found.append((threading.current_thread(), loop_manager.run_sync(here)))
        pool.release()

    here_before = Path.cwd()
    try:
        for count, name in enumerate(("first", "second"), 1):
            folder = tmp_path / name
            folder.mkdir()
            pool.submit(lambda folder=folder: move_to(folder))
            wait_for(lambda count=count: len(found) == count)
            pool.close()
            found[-1][0].join(PATIENCE)
    finally:
        os.chdir(here_before)  # where threads have no directory of their own
    assert [Path(place).name for _, place in found] == ["first", "second"]
    assert found[0][0].name == found[1][0].name
