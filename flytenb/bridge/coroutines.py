"""A task's coroutine runs to its end on its node's own thread; another thread can wake it from what it awaits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

_loops: dict[int, asyncio.AbstractEventLoop] = {}


def run_coroutine(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine in an event loop of its own and return what it returned."""
    thread = threading.get_ident()
    with asyncio.Runner() as runner:
        _loops[thread] = runner.get_loop()
        try:
            return runner.run(coroutine)
        finally:
            del _loops[thread]


def wake(thread: int) -> None:
    """Wake the event loop that a thread sleeps in, if it does: only then does it notice an exception raised in it."""
    loop = _loops.get(thread)
    if loop is not None:
        with suppress(RuntimeError):  # it has just been closed
            loop.call_soon_threadsafe(int)
