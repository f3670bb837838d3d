"""flytekit's log on this thread, caught for a while: what it says is told by us instead, where it belongs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flytekit.loggers import logger


@contextmanager
def quiet() -> Iterator[list[str]]:
    """Keep this thread's flytekit messages out of the log; yield the list that they are collected in."""
    caught = _Caught()
    logger.addFilter(caught)
    try:
        yield caught.messages
    finally:
        logger.removeFilter(caught)


class _Caught(logging.Filter):
    """Takes the messages of one thread, so that a run in the background keeps its log."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []
        self._thread = threading.get_ident()

    def filter(self, record: logging.LogRecord) -> bool:
        if threading.get_ident() != self._thread:
            return True
        self.messages.append(record.getMessage())
        return False
