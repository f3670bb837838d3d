"""The store of the cache: flytekit's own on disk, readable by the user only, replaced when its files are damaged."""

from __future__ import annotations

import atexit
import marshal
import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

import diskcache  # type: ignore[import-untyped]

from flytenb.bridge import private
from flytenb.locks import new_lock

_replacing = new_lock()
_private: Any = None
"""The open store whose directory's permissions were checked."""
_FIND = "SELECT mode, value FROM Cache WHERE key = ? AND raw = 1 AND expire_time IS NULL"


class _Reader(threading.local):
    """This thread's own connection to a store: half of the time of diskcache's `get` is spent around its query."""

    def __init__(self) -> None:
        self.store: Any = None
        self.connection: Any = None

    def find(self, store: Any, key: str) -> Any:
        """Return the bytes stored under a key, None if there are none."""
        if self.store is not store:
            path = Path(store.directory) / diskcache.core.DBNAME
            self.connection = sqlite3.connect(path, timeout=store.timeout, isolation_level=None)
            self.store = store
        row = self.connection.execute(_FIND, (key,)).fetchone()
        if row is None or row[0] == diskcache.core.MODE_RAW:
            return row and row[1]
        return store.get(key)  # it is in a file


_reader = _Reader()
os.register_at_fork(after_in_child=lambda: setattr(_reader, "store", None))  # a connection isn't for two processes


_hits: Counter[str] = Counter()
"""How often stored outputs were used, by key, as far as that isn't written yet."""
_counting = new_lock()


class StoredOutputs(NamedTuple):
    """The stored outputs of one call.

    Attributes:
        key: the key.
        task: the name of the task.
        stored: the time, in seconds since the epoch.
        size: in bytes.
        hits: how often they were used.
    """

    key: str
    task: str
    stored: float
    size: int
    hits: int


class DamagedStoreError(Exception):
    """The store's files were damaged; raised once, by the call that noticed it."""


def read(key: str) -> Any:
    """Return the value stored under a key; None if there is none that can be read.

    Raises:
        DamagedStoreError: if the store was damaged and has been replaced by an empty one.
        OSError: if the store's directory can't be made private.
        sqlite3.OperationalError: if the disk or another process is in the way.
    """
    try:
        data = _reader.find(_open(), key)
        return None if data is None else marshal.loads(data)
    except sqlite3.DatabaseError as e:
        _replace(e)
    except (OSError, sqlite3.Error):
        raise
    except Exception:  # bytes that can't be read (any more); the next write replaces them
        return None
    return None


def write(key: str, value: Any, task: str = "") -> None:
    """Store a value, made of scalars, lists, tuples and dicts, under a key.

    Args:
        key: the key.
        value: the value.
        task: the name of the task whose outputs it is; empty for what isn't listed.

    Raises:
        Exception: as `read`.
    """
    try:
        _open().set(key, marshal.dumps(value, 2), tag=task or None)
    except sqlite3.DatabaseError as e:
        _replace(e)


def count_hit(key: str) -> None:
    """Count that stored outputs were used; the counts are written when the entries are listed, and at exit."""
    with _counting:
        _hits[key] += 1


def entries() -> list[StoredOutputs]:
    """Return the stored outputs, the latest last.

    Raises:
        Exception: as `read`.
    """
    _write_hits()
    rows = _open()._sql(
        "SELECT key, tag, store_time, size + length(coalesce(value, '')), access_count FROM Cache"
        " WHERE tag IS NOT NULL ORDER BY store_time"
    )
    return [StoredOutputs(*row) for row in rows]


def remove(keys: Iterable[str]) -> int:
    """Remove stored outputs; return how many there were.

    Raises:
        Exception: as `read`.
    """
    store = _open()
    return sum(bool(store.delete(key)) for key in keys)


def _write_hits() -> None:
    with _counting:
        counted = dict(_hits)
        _hits.clear()
    store = _open() if counted else None
    for key, number in counted.items():
        store._sql("UPDATE Cache SET access_count = access_count + ? WHERE key = ?", (number, key))  # type: ignore[union-attr]


def _write_last_hits() -> None:
    with suppress(Exception):
        _write_hits()


atexit.register(_write_last_hits)


def _open() -> Any:
    """Open the store in a directory that only the user can access: flytekit unpickles its content."""
    global _private
    store = private.open_cache_store()
    if store is None or store is not _private:
        directory = private.cache_directory()
        Path(directory).mkdir(mode=0o700, parents=True, exist_ok=True)
        Path(directory).chmod(0o700)
        _private = store = private.cache_store()
    return store


def _replace(why: sqlite3.DatabaseError) -> None:
    """Move damaged files aside, so that the next call starts with an empty store."""
    is_damage = not isinstance(why, sqlite3.OperationalError) or "no such" in str(why)
    if not is_damage:
        raise why
    directory = Path(private.cache_directory())
    with _replacing:
        if _is_sound(directory):
            return  # another thread has replaced it in the meantime
        number = 1
        while (aside := directory.with_name(f"{directory.name}.damaged-{number}")).exists():
            number += 1
        directory.rename(aside)
        directory.mkdir(mode=0o700)
        private.replace_cache_store(diskcache.Cache(str(directory)))
    raise DamagedStoreError(
        f"its files were damaged ({why}): they are kept in {aside}, and a new cache was started"
    ) from why


def _is_sound(directory: Path) -> bool:
    try:
        with closing(sqlite3.connect(directory / diskcache.core.DBNAME)) as connection:
            connection.execute("select count(*) from Cache")
            return bool(connection.execute("pragma quick_check").fetchone() == ("ok",))
    except sqlite3.Error:
        return False
