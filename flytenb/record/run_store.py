"""The folder of kept runs: an SQLite database and the files of values. Imports the standard library, xxhash and a lock.

The head and the body of a run start with digests, that of the body over the nodes too, and each file is listed with its
digest. What doesn't match counts as missing.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xxhash

from flytenb.locks import new_lock

VERSION = 1
"""Changes with the form of what is stored; a store of another version is left alone."""
DATABASE = "runs.sqlite"
_DIGEST = 16
_BUSY = 60.0
"""Seconds to wait for another kernel that writes."""
_ABANDONED = 86_400.0
"""Seconds after which a run that was begun to be written counts as abandoned."""
_TABLES = """
CREATE TABLE runs (id TEXT PRIMARY KEY, begun REAL NOT NULL, size INTEGER NOT NULL, head BLOB, body BLOB);
CREATE TABLE nodes (run TEXT, path TEXT, body BLOB, PRIMARY KEY (run, path));
"""
_inherited: list[sqlite3.Connection] = []
"""Connections of the process that this one was forked from. They are kept, since closing one would wait for the lock of
a request that a thread of the parent was making."""


class StoreError(Exception):
    """The folder can't be used: foreign, of another version, damaged, full or read-only; the message says what."""


@dataclass(frozen=True)
class StoredRun:
    """A run as it is stored.

    Attributes:
        head: what a list shows of it.
        body: the rest.
        nodes: the content of each node, by path.
    """

    head: bytes
    body: bytes
    nodes: Mapping[str, bytes]


class RunStore:
    """The runs in one folder. Several threads and several processes may use it at the same time.

    Args:
        folder: the folder.
        is_made: whether a missing folder is made.
    """

    def __init__(self, folder: Path, *, is_made: bool = True) -> None:
        self.folder = folder
        self._is_made = is_made
        self._lock = new_lock()
        self._process = 0
        self._connection: sqlite3.Connection | None = None

    # --- writing -------------------------------------------------------------------------------------------------

    def begin(self, run: str, started: float) -> Path:
        """Announce a run, so that no process takes its files for abandoned ones; return their folder.

        Raises:
            StoreError: if the folder can't be used.
        """
        with self._open(is_writing=True) as connection:
            connection.execute("INSERT OR IGNORE INTO runs (id, begun, size) VALUES (?, ?, 0)", (run, started))
        return self.files_of(run)

    def write(self, run: str, started: float, stored: StoredRun, *, is_over: bool = True) -> None:
        """Store a run or replace it; its files must have been written. When this returns, the run is on disk.

        One that isn't over has the size 0: it doesn't count, and isn't removed before it would count as abandoned.

        Raises:
            StoreError: if the folder can't be used.
        """
        files = self.files_of(run)
        try:
            size = _settle(files)
        except OSError as e:
            raise StoreError(f"{files} can't be written: {e.strerror or e}") from e
        size += len(stored.head) + len(stored.body) + sum(map(len, stored.nodes.values()))
        size = size if is_over else 0
        head = _seal(_head_key(run, started, size), stored.head)
        row = (run, started, size, head, _seal(_body_key(run, stored.nodes), stored.body))
        rows = [(run, path, data) for path, data in stored.nodes.items()]
        with self._open(is_writing=True) as connection:
            connection.execute("INSERT OR REPLACE INTO runs (id, begun, size, head, body) VALUES (?, ?, ?, ?, ?)", row)
            connection.execute("DELETE FROM nodes WHERE run = ?", (run,))
            connection.executemany("INSERT INTO nodes (run, path, body) VALUES (?, ?, ?)", rows)

    def remove(self, runs: Iterable[str]) -> None:
        """Remove runs.

        Raises:
            StoreError: if the folder can't be used.
        """
        runs = [*runs]
        with self._open(is_writing=True) as connection:
            for run in runs:
                connection.execute("DELETE FROM runs WHERE id = ?", (run,))
                connection.execute("DELETE FROM nodes WHERE run = ?", (run,))
        for run in runs:
            shutil.rmtree(self.files_of(run), ignore_errors=True)

    def prune(self, seconds: float, size: int) -> None:
        """Remove the runs that are older than `seconds`, the oldest ones beyond `size` bytes, and abandoned files.

        A damaged run stays: what its row says isn't known to be right.

        Raises:
            StoreError: if the folder can't be used.
        """
        files = self.folder / "files"
        # Before the rows that announce them.
        folders = [path.name for path in files.iterdir()] if files.exists() else []
        rows = self._rows("SELECT id, begun, size, head FROM runs ORDER BY begun DESC")
        known = {row[0] for row in rows}
        for name in folders:
            if name not in known:
                shutil.rmtree(self.files_of(name), ignore_errors=True)
        now, total, old = time.time(), 0, []
        for run, begun, bytes_, head in rows:
            if head is None or not bytes_:
                limit = max(seconds, _ABANDONED)
            elif _unseal(_head_key(run, begun, bytes_), head) is None:
                continue
            else:
                limit, total = seconds, total + bytes_
            if now - begun > limit or (head is not None and bytes_ and total > size):
                old.append(run)
        if old:
            self.remove(old)

    # --- reading -------------------------------------------------------------------------------------------------

    @property
    def exists(self) -> bool:
        """Whether there is a store."""
        return (self.folder / DATABASE).exists()

    def heads(self) -> dict[str, bytes | None]:
        """Return the heads of all runs, oldest first; None for one that is damaged.

        Raises:
            StoreError: if the folder can't be used.
        """
        rows = self._rows("SELECT id, begun, size, head FROM runs WHERE head IS NOT NULL ORDER BY begun, id")
        return {str(run): _unseal(_head_key(run, begun, size), head) for run, begun, size, head in rows}

    def read(self, run: str) -> StoredRun | None:
        """Return a run, None if it isn't there or is damaged.

        Raises:
            StoreError: if the folder can't be used.
        """
        with self._open() as connection:  # one transaction: both tables are of the same moment
            found = connection.execute("SELECT begun, size, head, body FROM runs WHERE id = ?", (run,)).fetchone()
            rows = connection.execute("SELECT path, body FROM nodes WHERE run = ?", (run,)).fetchall()
        if found is None:
            return None
        begun, size, head, body = found
        nodes = {str(path): data for path, data in rows if isinstance(data, bytes)}
        head, body = _unseal(_head_key(run, begun, size), head), _unseal(_body_key(run, nodes), body)
        return None if head is None or body is None else StoredRun(head, body, nodes)

    def files_of(self, run: str) -> Path:
        """Return the folder of a run's files."""
        return self.folder / "files" / run

    def _rows(self, statement: str) -> list[Any]:
        with self._open() as connection:
            return connection.execute(statement).fetchall()

    # --- the database --------------------------------------------------------------------------------------------

    @contextmanager
    def _open(self, *, is_writing: bool = False) -> Iterator[sqlite3.Connection]:
        """Open the database and a transaction, committed at the end of the block.

        Raises:
            StoreError: if that fails.
        """
        with self._lock:
            try:
                connection = self._connection_here()
                if connection is None:
                    connection = self._connection = self._connect()
                    self._process = os.getpid()
                with connection:
                    connection.execute("BEGIN IMMEDIATE" if is_writing else "BEGIN")
                    yield connection
            except (sqlite3.Error, OSError, UnicodeError, OverflowError) as e:
                self._connection = None
                raise StoreError(f"{self.folder / DATABASE} can't be used: {e}") from e

    def _connect(self) -> sqlite3.Connection:
        path = self.folder / DATABASE
        if self._is_made:
            _make_private(self.folder)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600))
        for place in (self.folder, path):
            _require_own(place)
        mode = "rw"
        if not self._is_made and not os.access(self.folder, os.W_OK):
            # Without a log that another kernel writes, nothing changes, and reading needs no file beside it.
            mode = "ro" if path.with_name(f"{DATABASE}-wal").exists() else "ro&immutable=1"
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=_BUSY,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute("PRAGMA synchronous = FULL")
        # Another thread or kernel may have made the file a moment ago, and be about to make the tables.
        if mode == "rw" and not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            connection.execute("PRAGMA journal_mode = WAL")
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    for statement in filter(str.strip, _TABLES.split(";")):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version = {VERSION}")
        [version] = connection.execute("PRAGMA user_version").fetchone()
        if version != VERSION:
            connection.close()
            raise StoreError(f"{path} is of version {version}, expected {VERSION}")
        return connection

    def close(self) -> None:
        """Close the database; the next call opens it again."""
        with self._lock:
            if (connection := self._connection_here()) is not None:
                connection.close()
            self._connection = None

    def _connection_here(self) -> sqlite3.Connection | None:
        """Return the open connection of this process; leave one that it has inherited as it is."""
        if self._connection is not None and self._process != os.getpid():
            _inherited.append(self._connection)
            self._connection = None
        return self._connection


def _make_private(folder: Path) -> None:
    """Make a folder that only this user can access, or take one that is empty or holds a store.

    Raises:
        StoreError: for another one.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _require_own(folder)
    if folder.lstat().st_mode & 0o077:
        if any(folder.iterdir()) and not (folder / DATABASE).exists():
            raise StoreError(f"{folder} has other files and others can access it: expected a new or private folder")
        folder.chmod(0o700)


def _require_own(path: Path) -> None:
    """Raise StoreError unless this user owns a file or folder that isn't a link."""
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise StoreError(f"{path} is a link")
    if hasattr(os, "getuid") and found.st_uid != os.getuid():
        raise StoreError(f"{path} belongs to another user")


def _head_key(run: Any, begun: Any, size: Any) -> str:
    return f"head {run} {begun!r} {size}"


def _body_key(run: str, nodes: Mapping[str, bytes]) -> str:
    """Return a key that changes with any of the nodes, so that none is missing unnoticed."""
    digest = xxhash.xxh3_128()
    for path, data in sorted(nodes.items()):
        digest.update(_seal(path, data)[:_DIGEST])
    return f"body {run} {digest.hexdigest()}"


def _seal(key: str, data: bytes) -> bytes:
    return xxhash.xxh3_128_digest(key.encode("utf-8", "surrogatepass") + b"\0" + data) + data


def _unseal(key: str, sealed: Any) -> bytes | None:
    if not isinstance(sealed, bytes):
        return None
    data = sealed[_DIGEST:]
    return data if _seal(key, data)[:_DIGEST] == sealed[:_DIGEST] else None


# --- files -----------------------------------------------------------------------------------------------------------


def digests_in(folder: Path) -> dict[str, str]:
    """Return the digest of each file below a folder, by its relative path."""
    return {str(path.relative_to(folder)): _digest_of(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def _digest_of(path: Path) -> str:
    digest = xxhash.xxh3_128()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _settle(folder: Path) -> int:
    """Make the files below a folder private and durable; return their size in bytes."""
    size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            path.chmod(0o600)
            size += path.stat().st_size
            _sync(path)
        Path(place).chmod(0o700)
        _sync(Path(place))
    if size:
        _sync(folder.parent)
    return size


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
