"""An interrupt may come between any two instructions of the main thread: nothing waits for ever, the run is over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from flytenb.runner.interrupts import Latch, held_back
from tests.waiting import PATIENCE


def test_a_latch_wakes_everybody_who_waits_and_whoever_comes_later() -> None:
    latch = Latch()
    woken: list[bool] = []
    threads = [threading.Thread(target=lambda: woken.append(latch.wait(PATIENCE))) for _ in range(5)]
    for thread in threads:
        thread.start()
    assert not latch.is_set()
    latch.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert woken == [True] * 5
    latch.set()
    assert latch.is_set()
    assert latch.wait(0)


@pytest.mark.parametrize("timeout", [-1, 0, 0.01])
def test_a_latch_that_is_not_set_is_waited_for_no_longer_than_asked(timeout: float) -> None:
    assert not Latch().wait(timeout)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Python's own handler: flytekit puts one of its own when it is imported."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_a_wait_is_interrupted_even_by_a_signal_that_does_not_wake_the_thread() -> None:
    def press() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
        signal.raise_signal(signal.SIGINT)

    # As when it arrives just before the main thread sleeps: another thread takes it.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        timer = threading.Timer(0.05, press)
        with pytest.raises(KeyboardInterrupt):
            timer.start()
            Latch().wait(PATIENCE)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_is_held_back_until_the_block_is_done() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), held_back():
        signal.raise_signal(signal.SIGINT)
        done.append("the rest")
    assert done == ["the rest"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_handler_that_was_there_gets_the_interrupt() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    try:
        with held_back():
            signal.raise_signal(signal.SIGINT)
            assert heard == []
        assert heard == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_what_fails_while_interrupts_are_held_back_fails_as_it_is() -> None:
    with pytest.raises(ValueError, match="as it is"), held_back():
        raise ValueError("as it is")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("interruptible")
def test_on_another_thread_nothing_is_held_back() -> None:
    seen = []

    def look() -> None:
        with held_back():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


HAMMER = """
import asyncio, faulthandler, os, random, signal, sys, threading, time
import flytenb
from flytenb import api
from flytekit import eager, task
from tests.waiting import PATIENCE, are_workers_idle, wait_for

kind, count = sys.argv[1], int(sys.argv[2])
began = threading.Event()
chance = random.Random(1)
is_over = True

@task
def waits(x: int) -> int:
    began.set()
    while x:
        time.sleep(0.001)
    return x

@eager
async def sleeps(x: int) -> int:
    began.set()
    await asyncio.sleep(1000)
    return x

@task
async def awaits(x: int) -> int:
    began.set()
    await asyncio.sleep(1000)
    return x

def interrupt(*_):
    if not is_over:
        raise KeyboardInterrupt

def press(delays):
    began.wait()
    for delay in delays:
        until = time.perf_counter() + delay
        while time.perf_counter() < until:
            pass
        os.kill(os.getpid(), signal.SIGINT)

runs = []
api.on_run(lambda run: runs.append(run) or (lambda: None))
signal.signal(signal.SIGINT, interrupt)
for number in range(count):
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    began.clear()
    presser = threading.Thread(target=press, args=([chance.random() * 5e-4 for _ in range(1 + 2 * (number % 2))],))
    presser.start()
    try:
        is_over = False
        flytenb.run(globals()[kind], x=1)
    except KeyboardInterrupt:
        is_over = True
    presser.join()
    wait_for(are_workers_idle)
print([str(run.wait(PATIENCE).phase) for run in runs] == ["ABORTED"] * count)
names = [thread.name for thread in threading.enumerate()]
print(len(names) < 20 or names, flush=True)
os._exit(0)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["waits", "sleeps", "awaits"])
def test_a_run_that_is_interrupted_at_any_moment_is_over_and_leaves_no_thread_behind(kind: str, tmp_path: Path) -> None:
    script = tmp_path / "hammer.py"
    script.write_text(HAMMER)
    command = [sys.executable, script, kind, "150"]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=2 * PATIENCE)
    assert done.stdout == "True\nTrue\n", done.stderr[-5000:]
