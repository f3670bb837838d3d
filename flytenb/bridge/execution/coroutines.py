"""Run a task's coroutine on its node's thread; a request to stop wakes it from what it awaits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from flytenb.bridge.stopping import current_attempt


def run_coroutine(
    coroutine: Coroutine[Any, Any, Any], new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None
) -> Any:
    """Run a coroutine in an event loop of its own, made by `new_loop`, and return what it returned."""
    attempt = current_attempt()
    with asyncio.Runner(loop_factory=new_loop) as runner:
        attempt.loop = runner.get_loop()
        try:
            return runner.run(coroutine)
        finally:
            attempt.loop = None
