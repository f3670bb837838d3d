"""Coroutines of tasks, run on the node's thread; a request to stop interrupts an `await`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from flytenb.bridge.stopping import current_attempt


def run_coroutine(
    coroutine: Coroutine[Any, Any, Any], new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None
) -> Any:
    """Run a coroutine in a new event loop, made by `new_loop`, and return its result."""
    attempt = current_attempt()
    with asyncio.Runner(loop_factory=new_loop) as runner:
        attempt.loop = runner.get_loop()
        try:
            return runner.run(coroutine)
        finally:
            attempt.loop = None
