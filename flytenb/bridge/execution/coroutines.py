"""Coroutines of tasks, run on the node's thread; a request to stop interrupts an `await`."""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
from collections.abc import Callable, Coroutine, Mapping
from contextlib import nullcontext, suppress
from typing import Any

from flytenb.bridge import private
from flytenb.bridge.stopping import NodeStopped, current_attempt, shielded


def run_coroutine(
    function: Callable[..., Coroutine[Any, Any, Any]],
    inputs: Mapping[str, Any],
    new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> Any:
    """Run a coroutine function in a new event loop, made by `new_loop`, and return its result.

    Raises:
        NodeStopped: if the attempt of this thread was asked to stop; the coroutine meets it itself, or is cancelled.
    """
    attempt = current_attempt()
    loop: asyncio.AbstractEventLoop | None = None
    coroutine: Coroutine[Any, Any, Any] | None = None

    def report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), NodeStopped):
            loop.default_exception_handler(context)
            return
        for task in asyncio.all_tasks(loop):  # the stop met a callback, whose errors the loop only reports
            if task.get_coro() is coroutine:
                task.cancel()

    try:
        # A stop amid these assignments would leave an open loop, or a coroutine that never runs.
        with shielded():
            loop = (new_loop or asyncio.new_event_loop)()
            loop.set_exception_handler(report)
            _close_as_a_whole(loop)
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            attempt.loop = runner.get_loop()
            with shielded() if inspect.iscoroutinefunction(function) else nullcontext():
                coroutine = function(**inputs)
            return runner.run(coroutine)
    except asyncio.CancelledError:
        attempt.check()
        raise
    finally:
        attempt.loop = None
        with shielded():
            if coroutine is not None:
                coroutine.close()
            if loop is not None:
                loop.close()


def _close_as_a_whole(loop: asyncio.AbstractEventLoop) -> None:
    """Defer a stop while a loop closes: one that is closed in part can be closed no more, and complains when freed."""
    close = loop.close

    def close_shielded() -> None:
        with shielded():
            vars(loop).pop("close", None)  # the loop would hold itself
            close()

    with suppress(AttributeError):  # a loop of another library may have no attributes of its own
        loop.close = close_shielded  # type: ignore[method-assign]


def begin_thread() -> None:
    """Let flytekit make another loop thread for this one: an earlier thread of the same name had one.

    A loop thread shares the working directory of the thread that has started it.
    """
    earlier = private.loop_runners()[1].pop(f"{threading.current_thread().name}PID:{os.getpid()}", None)
    if earlier is not None:  # it may be at work, so that its end isn't awaited
        threading.Thread(target=earlier.run, args=(_end_loop(),), name="flytenb-loop-end", daemon=True).start()


async def _end_loop() -> None:
    loop = asyncio.get_running_loop()
    loop.call_soon(loop.stop)
