"""The event loop on which a thread converts values still wakes after the process was forked."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
from queue import SimpleQueue
from typing import Any

from flytenb.bridge.crossing.literal import run_on_loop
from tests.forks import fork
from tests.waiting import PATIENCE


async def on_another_thread() -> asyncio.AbstractEventLoop:
    """Wait for another thread, which has to wake this loop."""
    return await asyncio.to_thread(lambda loop: loop, asyncio.get_running_loop())


def ends_well(child: int) -> bool:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_forked_process_that_frees_its_copies_leaves_the_loops_of_other_threads_alone() -> None:
    jobs: SimpleQueue[Any] = SimpleQueue()
    answers: SimpleQueue[Any] = SimpleQueue()

    def work() -> None:
        while (job := jobs.get()) is not None:
            answers.put(run_on_loop(job()))

    threading.Thread(target=work, daemon=True).start()
    jobs.put(on_another_thread)
    loop = answers.get(timeout=PATIENCE)
    child = fork()
    if not child:
        del loop
        gc.collect()
        os._exit(0)
    assert ends_well(child)
    jobs.put(on_another_thread)
    assert answers.get(timeout=PATIENCE) is loop
    jobs.put(None)


def test_a_loop_is_closed_when_its_thread_ends() -> None:
    loops: list[asyncio.AbstractEventLoop] = []
    thread = threading.Thread(target=lambda: loops.append(run_on_loop(on_another_thread())))
    thread.start()
    thread.join()
    assert loops[0].is_closed()


def test_a_forked_process_makes_loops_of_its_own() -> None:
    loop = run_on_loop(on_another_thread())
    assert run_on_loop(on_another_thread()) is loop
    child = fork()
    if not child:
        is_own = False
        signal.alarm(PATIENCE)  # it would wait for threads that only its parent has
        try:
            is_own = run_on_loop(on_another_thread()) is not loop
        finally:
            os._exit(not is_own)
    assert ends_well(child)
    assert run_on_loop(on_another_thread()) is loop
