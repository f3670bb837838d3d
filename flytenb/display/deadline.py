"""Calls with a time limit: storage requests, queries, methods of values."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from flytenb.wording.quantities import duration_text

T = TypeVar("T")


@dataclass(frozen=True)
class _Raised:
    error: Exception


def wait_for(call: Callable[[], T], seconds: float) -> T:
    """Return the result of a call, made in a thread of its own.

    Raises:
        TimeoutError: if it takes longer; the call itself goes on in its thread.
        Exception: whatever the call raises.
    """
    results: queue.SimpleQueue[T | _Raised] = queue.SimpleQueue()

    def run() -> None:
        try:
            results.put(call())
        except Exception as error:
            results.put(_Raised(error))

    threading.Thread(target=contextvars.copy_context().run, args=(run,), name="flytenb-call", daemon=True).start()
    try:
        result = results.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"no answer within {duration_text(seconds)}") from None
    if isinstance(result, _Raised):
        raise result.error
    return result
