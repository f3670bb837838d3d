"""Checks with a time limit: code of users that doesn't end is named, and holds up neither the caller nor a notebook."""

from __future__ import annotations

import contextvars
import sys
import threading
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, TypeVar

from flytenb.bridge.stopping import Attempt
from flytenb.errors import is_foreign
from flytenb.runner.interrupts import Latch
from flytenb.runner.resources import resources

T = TypeVar("T")

PATIENCE = 120.0
"""Seconds that a check may take."""


class NoEndError(Exception):
    """A call that took too long."""


def call_in_time(call: Callable[[], T], seconds: float, stop: Callable[[], bool], place: Callable[[], str]) -> T:
    """Return the result of a call made on a thread of its own.

    Args:
        call: the call.
        seconds: the limit.
        stop: called when the call takes longer, or is interrupted; returns False to have its thread stopped.
        place: returns where the call is.

    Raises:
        NoEndError: if it takes longer, with its place.
        BaseException: what it raises.
    """
    over, attempt = Latch(), Attempt()
    results: list[T] = []
    raised: list[BaseException] = []

    def work() -> None:
        try:
            results.append(attempt.call(call))
        except BaseException as error:
            raised.append(error)
        finally:
            over.set()

    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(work,), name="flytenb-check", daemon=True)

    def begin() -> None:
        if thread.ident is None:
            thread.start()

    is_over = False
    try:
        is_over = wait(over, seconds, begin)
        if not is_over:
            raise NoEndError(place())
    finally:
        if not is_over and not stop():
            attempt.ask()
    if raised:
        raise raised[0]
    return results[0]


def wait(over: Latch, seconds: float, begin: Callable[[], None]) -> bool:
    """Wait for a latch; on the main thread, do meanwhile what nodes ask it for, which `begin` starts."""
    return resources.main_thread.wait(over, seconds, begin)


def place_in(owner: Any, function: CodeType | None) -> str:
    """Return the method of an object, or the function, that any thread executes now: `get_custom, line 5 of a.py`."""
    for frame in sys._current_frames().values():
        at: FrameType | None = frame
        while at is not None:
            code = at.f_code
            if code is function or (at.f_locals.get("self") is owner and not is_foreign(code.co_filename)):
                return f"{code.co_name}, line {at.f_lineno} of {code.co_filename}"
            at = at.f_back
    return ""
