"""Threads and processes that runs share: closed when no run uses them, started again for the next run."""

from __future__ import annotations

import os
import threading
from datetime import timedelta

import flytekit
import pytest
from flytekit import sleep, task, workflow

import flytenb
from flytenb.bridge.execution.connector_loop import ConnectorLoop
from flytenb.runner.clock import Clock
from flytenb.runner.resources import resources
from flytenb.runner.workers import WorkerPool
from tests.waiting import PATIENCE


@task
def process_number() -> int:
    return os.getpid()


@task
def thread_name() -> str:
    return threading.current_thread().name


@workflow
def paused() -> str:
    pause = sleep(timedelta(milliseconds=300))
    name = thread_name()
    pause >> name  # type: ignore[operator]
    return name


@pytest.mark.slow
def test_a_process_is_ended_by_close_and_replaced() -> None:
    apart = flytenb.options(processes=True)
    before = apart.run(process_number).result
    resources.close()
    assert apart.run(process_number).result not in (before, os.getpid())


def test_a_run_that_goes_on_is_not_disturbed_by_close() -> None:
    started = flytenb.start(paused)
    resources.close()
    assert started.wait(PATIENCE).result.startswith("flytenb-")


def test_threads_of_a_closed_pool_end_and_their_names_are_used_again() -> None:
    pool = WorkerPool("test-closed")
    names: list[str] = []
    for _ in range(3):
        threads: list[threading.Thread] = []
        both = threading.Barrier(3)

        def job(threads: list[threading.Thread] = threads, both: threading.Barrier = both) -> None:
            threads.append(threading.current_thread())
            both.wait(PATIENCE)
            pool.release()
            both.wait(PATIENCE)

        for _ in range(2):
            pool.submit(job)
        both.wait(PATIENCE)
        both.wait(PATIENCE)
        pool.close()
        for thread in threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()
        names += sorted(thread.name for thread in threads)
    assert names == ["test-closed-0", "test-closed-1"] * 3
    assert repr(pool) == "<WorkerPool test-closed: 0 threads, 0 idle>"


def test_a_busy_thread_of_a_closed_pool_does_its_job_and_the_next_ones() -> None:
    pool = WorkerPool("test-busy")
    may_end, ended, again = threading.Event(), threading.Event(), threading.Event()

    def job() -> None:
        may_end.wait(PATIENCE)
        pool.release()
        ended.set()

    pool.submit(job)
    pool.close()
    may_end.set()
    assert ended.wait(PATIENCE)
    pool.submit(again.set)
    assert again.wait(PATIENCE)
    assert "test-busy: 1 threads" in repr(pool)


def test_a_closed_clock_starts_again_and_keeps_pending_jobs() -> None:
    clock = Clock()
    threads: list[threading.Thread] = []

    def wait_for_job(seconds: float, *, is_closed_meanwhile: bool) -> None:
        called = threading.Event()

        def job() -> None:
            threads.append(threading.current_thread())
            called.set()

        clock.call_later(seconds, job)
        if is_closed_meanwhile:
            clock.close()
        assert called.wait(PATIENCE)

    wait_for_job(0, is_closed_meanwhile=False)
    clock.close()
    threads[0].join(PATIENCE)
    assert not threads[0].is_alive()
    wait_for_job(0.2, is_closed_meanwhile=True)
    assert threads[1] is not threads[0]


def test_a_closed_connector_loop_ends_its_thread_unless_jobs_go_on() -> None:
    loop = ConnectorLoop()
    threads: list[threading.Thread] = []

    def do_job(*, is_closed_meanwhile: bool) -> None:
        began, may_end, ended = threading.Event(), threading.Event(), threading.Event()

        async def job() -> None:
            threads.append(threading.current_thread())
            began.set()
            may_end.wait(PATIENCE)

        loop.start(job(), lambda _: ended.set())
        assert began.wait(PATIENCE)
        if is_closed_meanwhile:
            loop.close()
        may_end.set()
        assert ended.wait(PATIENCE)

    do_job(is_closed_meanwhile=True)
    do_job(is_closed_meanwhile=False)
    assert threads[0] is threads[1]
    cancel = loop.start(flytekit_version(), lambda _: None)
    while threads[0].is_alive():  # the callback that counts the last job as ended comes after ours
        loop.close()
        threads[0].join(0.01)
    cancel()()  # neither raises nor reaches another thread
    do_job(is_closed_meanwhile=False)
    assert threads[2] is not threads[0]


async def flytekit_version() -> str:
    return str(flytekit.__version__)
