"""flytekit's log of what is done here, caught for a while: what it says is told by us instead, where it belongs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from flytekit.loggers import logger

# Not the thread: flytekit converts members of unions and items of lists on threads of its own, which keep the context.
_caught: ContextVar[_Caught | None] = ContextVar("_caught", default=None)


@contextmanager
def quiet() -> Iterator[list[str]]:
    """Keep flytekit's messages out of the log, of what is done from here; yield the list that they are collected in."""
    caught = _Caught()
    before = _caught.set(caught)
    logger.addFilter(caught)
    try:
        yield caught.messages
    finally:
        logger.removeFilter(caught)
        _caught.reset(before)


class _Caught(logging.Filter):
    """Takes the messages of one context, so that a run in the background keeps its log."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        if _caught.get() is not self:
            return True
        self.messages.append(record.getMessage())
        return False
