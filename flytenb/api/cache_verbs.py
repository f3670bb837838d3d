"""Functions on the cache of task outputs: what it holds, and removing some of it."""

from __future__ import annotations

import time
from datetime import timedelta

from flytenb.cache import store
from flytenb.errors import UsageError
from flytenb.session.listing import Listing


def cached(task: str = "", older: timedelta | None = None) -> Listing:
    """List the stored outputs of cached tasks, the latest last: task, key in short, size, age, hits.

    Args:
        task: the name of a task, to list only its outputs.
        older: list only outputs that were stored longer ago than this.

    Raises:
        UsageError: if the cache can't be read.
    """
    return Listing.of_cache(_chosen(task, older), time.time())


def clear_cache(task: str = "", older: timedelta | None = None) -> int:
    """Remove stored outputs of cached tasks, all of them if nothing is chosen; return how many.

    Args:
        task: the name of a task, to remove only its outputs.
        older: remove only outputs that were stored longer ago than this.

    Raises:
        UsageError: if the cache can't be changed.
    """
    chosen = _chosen(task, older)
    try:
        return store.remove(entry.key for entry in chosen)
    except Exception as error:
        raise _unreadable(error) from error


def _chosen(task: str, older: timedelta | None) -> list[store.StoredOutputs]:
    try:
        found = store.entries()
    except Exception as error:
        raise _unreadable(error) from error
    before = None if older is None else time.time() - older.total_seconds()
    return [
        entry
        for entry in found
        if (not task or task in (entry.task, entry.task.rpartition(".")[2]))
        and (before is None or entry.stored < before)
    ]


def _unreadable(error: Exception) -> UsageError:
    return UsageError(f"the cache can't be read: {error}", hint="it is in ~/.flyte/local-cache")
