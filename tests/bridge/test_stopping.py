"""Stop requests: they meet the user's code and nothing else, whenever they come."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import threading
from asyncio.selector_events import BaseSelectorEventLoop
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest

from flytenb.bridge.execution.coroutines import run_coroutine
from flytenb.bridge.stopping import Attempt, NodeStopped, check_stopped, set_attempt, shielded
from flytenb.runner import capture
from tests.waiting import PATIENCE


def test_a_request_before_the_call_stops_it_before_it_begins() -> None:
    attempt = Attempt()
    attempt.ask()
    called: list[int] = []
    with pytest.raises(NodeStopped):
        attempt.call(lambda: called.append(1))
    assert called == []


def test_a_request_after_the_call_does_nothing() -> None:
    attempt = Attempt()
    assert attempt.call(lambda x: x + 1, {"x": 1}) == 2
    attempt.ask()
    sum(range(1000))
    with pytest.raises(NodeStopped):
        attempt.check()


def test_a_call_that_loops_is_stopped_and_its_finally_blocks_run() -> None:
    attempt, began, ended = Attempt(), threading.Event(), []

    def body() -> None:
        try:
            while True:
                began.set()
        finally:
            ended.append("finally")

    def work() -> None:
        with suppress(NodeStopped):
            attempt.call(body)
        ended.append("worker")

    thread = threading.Thread(target=work)
    thread.start()
    began.wait()
    attempt.ask()
    thread.join()
    assert ended == ["finally", "worker"]


def stop_coroutine(body: Callable[[], Coroutine[Any, Any, None]], began: threading.Event, ended: list[str]) -> None:
    """Run a coroutine on a thread, request its stop once it has begun, and wait for its end."""
    attempt = Attempt()

    def work() -> None:
        set_attempt(attempt)
        try:
            attempt.call(lambda: run_coroutine(body, {}))
        except NodeStopped:
            ended.append("stopped")

    thread = threading.Thread(target=work)
    thread.start()
    began.wait()
    attempt.ask()
    thread.join()


def test_a_coroutine_that_awaits_is_stopped() -> None:
    began, ended = threading.Event(), []

    async def body() -> None:
        began.set()
        await asyncio.sleep(1000)

    stop_coroutine(body, began, ended)
    assert ended == ["stopped"]


@pytest.mark.parametrize("how", ["call_soon", "call_later", "done"])
def test_a_request_that_meets_a_callback_of_the_loop_cancels_the_coroutine(how: str) -> None:
    began, ended = threading.Event(), []

    def spin(*_: object) -> None:
        began.set()
        while True:
            pass

    async def body() -> None:
        loop = asyncio.get_running_loop()
        if how == "call_soon":
            loop.call_soon(spin)
        elif how == "call_later":
            loop.call_later(0.001, spin)
        else:
            other = loop.create_future()
            other.add_done_callback(spin)
            other.set_result(None)
        try:
            await asyncio.sleep(PATIENCE)
        finally:
            ended.append("cleaned up")

    stop_coroutine(body, began, ended)
    assert ended == ["cleaned up", "stopped"]


def test_a_shielded_block_is_finished_before_the_request_is_raised() -> None:
    attempt, done = Attempt(), []

    def body() -> None:
        with shielded():
            attempt.ask()
            done.append("shielded")
        done.append("after")

    set_attempt(attempt)
    try:
        with pytest.raises(NodeStopped):
            attempt.call(body)
        with pytest.raises(NodeStopped):
            check_stopped()
    finally:
        set_attempt(None)
    assert done == ["shielded"]


def test_a_thread_is_started_before_the_request_is_raised() -> None:
    attempt, done = Attempt(), []

    def start(thread: threading.Thread) -> None:
        attempt.ask()
        done.append("started")

    set_attempt(attempt)
    try:
        with pytest.raises(NodeStopped):
            attempt.call(lambda: capture._start_for_node(start)(threading.Thread()))
    finally:
        set_attempt(None)
    assert done == ["started"]


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # hypothesis calls code after a collection
@pytest.mark.parametrize("seed", range(4))
def test_requests_at_random_moments_never_leave_the_call_nor_a_shielded_lock(seed: int) -> None:
    chance = random.Random(seed)
    lock = threading.Lock()
    state = {"inside": 0, "stray": 0, "locked": 0}
    attempts: list[Attempt] = []
    over = threading.Event()

    def body() -> None:
        for _ in range(50):
            with shielded(), lock:
                state["inside"] += 1
                sum(range(20))
                state["inside"] -= 1

    def work() -> None:
        for _ in range(400):
            attempt = Attempt()
            set_attempt(attempt)
            attempts.append(attempt)
            with suppress(NodeStopped):
                attempt.call(body)
            try:
                for _ in range(50):
                    sum(range(10))
            except NodeStopped:
                state["stray"] += 1
            if not lock.acquire(timeout=PATIENCE):
                state["locked"] += 1
            else:
                lock.release()
            set_attempt(None)
        over.set()

    thread = threading.Thread(target=work)
    thread.start()
    while not over.is_set():
        if attempts:
            for _ in range(chance.randrange(200)):
                pass
            attempts[-1].ask()
    thread.join()
    assert state == {"inside": 0, "stray": 0, "locked": 0}


ASKS = """
import os, sys, threading
from flytenb.bridge.stopping import Attempt

attempt, waits = Attempt(), threading.Event()

def sleeps():
    waits.set()
    threading.Event().wait()

thread = threading.Thread(target=lambda: attempt.call(sleeps), daemon=True)
thread.start()
waits.wait()
attempt.ask()
sys.settrace(lambda *_: None)
(lambda: None)()
print("went on", flush=True)
os._exit(0)
"""


def test_a_request_lets_calls_under_a_tracer_go_on() -> None:
    done = subprocess.run([sys.executable, "-c", ASKS], capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout == "went on\n", done.stderr


def test_a_stop_while_an_event_loop_closes_comes_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    attempt = Attempt()
    loops = []
    original = BaseSelectorEventLoop._close_self_pipe  # type: ignore[attr-defined]

    def ask_amid_closing(self: Any) -> None:
        loops.append(self)
        original(self)
        attempt.ask()
        sum(range(10))  # the stop is raised at a call

    async def returns() -> int:
        return 1

    monkeypatch.setattr(BaseSelectorEventLoop, "_close_self_pipe", ask_amid_closing)
    set_attempt(attempt)
    try:
        with pytest.raises(NodeStopped):
            attempt.call(lambda: run_coroutine(returns, {}))
    finally:
        set_attempt(None)
    assert [loop.is_closed() for loop in loops] == [True]
