"""Questions that somebody else answers, in their own time: a storage, a query, a value's own methods."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class _Raised:
    error: Exception


def wait_for(ask: Callable[[], T], seconds: float) -> T:
    """Return what a question is answered, asked in a thread of its own.

    Raises:
        TimeoutError: if it takes longer; the question itself can't be taken back.
        Exception: whatever it raises.
    """
    answers: queue.SimpleQueue[T | _Raised] = queue.SimpleQueue()

    def answer() -> None:
        try:
            answers.put(ask())
        except Exception as error:
            answers.put(_Raised(error))

    threading.Thread(target=contextvars.copy_context().run, args=(answer,), name="flytenb-asked", daemon=True).start()
    try:
        found = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"no answer within {seconds:g} s") from None
    if isinstance(found, _Raised):
        raise found.error
    return found
