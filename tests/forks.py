"""Forks of the process of a test."""

from __future__ import annotations

import os
import warnings

from tests.waiting import are_workers_idle, wait_for


def fork() -> int:
    """Fork as `os.fork` does, while no thread of runs has a job: the child has none of them, but the locks they hold.

    Python 3.12 warns of threads, of which the child uses none.
    """
    wait_for(are_workers_idle)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()
