"""The memory that the values of ended runs take, within a limit: the oldest ones are moved to disk, or dropped."""

from __future__ import annotations

import atexit
import marshal
import os
import shutil
import tempfile
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from flytenb.bridge.context import Workspace
from flytenb.bridge.crossing import CrossingValue
from flytenb.bridge.crossing.value_sizes import Size, size_of
from flytenb.bridge.execution.files import may_hold_files
from flytenb.bridge.execution.kept_values import AbsentValue, StoredValue, write_value
from flytenb.bridge.type_engine.key_order import Orders
from flytenb.errors import AbsentValueError
from flytenb.locks import new_rlock
from flytenb.record.read_back import reads_back
from flytenb.runner.held_values import drop_values, replace_values, values_of
from flytenb.runner.interrupts import held_back
from flytenb.runner.run import Run
from flytenb.wording.quantities import bytes_text

_WORTH = 1_000
"""Bytes from which a value is moved."""
_ON_DISK = 4
"""The values on disk may take this many times the limit; the oldest ones beyond are dropped."""
_HINT = "%config FlyteMagics.memory"


class _Holding:
    """What is known of the values of one run.

    Attributes:
        run: a weak reference to the run.
        size: what they take in memory; None before they were measured.
        on_disk: the bytes of those that were moved.
    """

    def __init__(self, run: Run, dead: deque[_Holding]) -> None:
        self.run = weakref.ref(run, lambda _: dead.append(self))
        self.size: Size | None = None
        self.on_disk = 0


class ValueMemory:
    """The values of the ended runs of this process.

    A run is looked at when it has ended, on a thread of the pool, and when another is started, which waits until the
    values are within the limit again.
    """

    def __init__(self) -> None:
        self.start_anew()
        os.register_at_fork(after_in_child=self.start_anew)

    def start_anew(self) -> None:
        """Look at no run: those of the process that this one was forked from are never moved here."""
        self._lock = new_rlock()
        self._dead: deque[_Holding] = deque()
        self._fresh: deque[_Holding] = deque()
        self._held: deque[_Holding] = deque()
        self._moved: deque[_Holding] = deque()
        self._shared: dict[int, list[int]] = {}
        self._own = 0.0
        self._root: Path | None = None

    @property
    def total(self) -> int:
        """The bytes that the values of ended runs take in memory."""
        with self._lock:
            self._bury()
            return int(self._own) + sum(size for size, _ in self._shared.values())

    def follow(self, run: Run, limit: int) -> None:
        """Look at a run once it has ended, and at those that have ended until now.

        Args:
            run: a run that hasn't started.
            limit: the bytes that values may take.
        """
        self.keep_within(limit)
        self._fresh.append(_Holding(run, self._dead))
        run.on_finish(partial(self.keep_within, limit))

    def keep_within(self, limit: int) -> None:
        """Measure the runs that have ended since the last call, and move values until the rest is within the limit."""
        if not self._fresh:
            return
        with held_back(), self._lock:
            self._bury()
            for _ in range(len(self._fresh)):
                self._measure(self._fresh.popleft())
            if self.total > limit:
                for holding in self._held:  # of some, the values may have been dropped
                    self._count(holding)
            while self._held and self.total > limit:
                self._move(self._held.popleft(), limit)
            on_disk = sum(holding.on_disk for holding in self._moved)
            while self._moved and on_disk > _ON_DISK * limit:
                oldest = self._moved.popleft()
                on_disk -= oldest.on_disk
                self._drop(oldest, limit)

    def release(self, runs: Sequence[Run], least: int, why: str) -> None:
        """Drop the values of ended runs, of each whose values take at least `least` bytes."""
        with held_back(), self._lock:
            for run in runs:
                if run.phase.is_terminal and size_of(values_of(run)).total >= least:
                    drop_values(run, why, "keep the run in a variable")
            for holding in self._held:
                if holding.run() in runs:
                    self._count(holding)

    def _measure(self, holding: _Holding) -> None:
        run = holding.run()
        if run is None:
            return
        if not run.phase.is_terminal:
            self._fresh.append(holding)
            return
        self._count(holding)
        self._held.append(holding)

    def _count(self, holding: _Holding) -> None:
        self._uncount(holding)
        run = holding.run()
        if run is None:
            return
        holding.size = size_of(values_of(run))
        self._own += holding.size.own
        for key, count in holding.size.shared.items():
            self._shared.setdefault(key, [count, 0])[1] += 1

    def _bury(self) -> None:
        """Count the runs no more that have been freed; their callbacks may come at any time, also under the lock."""
        while self._dead:
            holding = self._dead.popleft()
            self._uncount(holding)
            for listed in (self._held, self._moved):
                if holding in listed:
                    listed.remove(holding)

    def _uncount(self, holding: _Holding) -> None:
        size, holding.size = holding.size, None
        if size is None:
            return
        self._own -= size.own
        for key in size.shared:
            entry = self._shared[key]
            entry[1] -= 1
            if not entry[1]:
                del self._shared[key]

    # --- to disk -------------------------------------------------------------------------------------------------

    def _move(self, holding: _Holding, limit: int) -> None:
        """Write the values of a run to disk and let go of them; drop those that can't be written."""
        run = holding.run()
        self._uncount(holding)
        if run is None:
            return

        def move(value: CrossingValue) -> CrossingValue:
            if isinstance(value, AbsentValue | StoredValue) or size_of([value]).total < _WORTH:
                return value
            try:
                files = _Files(self._folder())
                read = files.write(value, run._scheduler.workspace)
                stored = StoredValue(read, value.python_type, files.require, may_unpickle=True)
                is_literal = value.method == "literal" and not may_hold_files(value.python_type)  # it stays as it is
                if not is_literal and not reads_back(value, stored, run._scheduler.workspace):
                    return AbsentValue(value, f"on disk it would have other content: {_dropped(limit)}", _HINT)
            except Exception:  # a full disk, or a value that can't be converted any more
                return AbsentValue(value, _dropped(limit), _HINT)
            holding.on_disk += files.size
            return stored

        replace_values(run, move)
        self._moved.append(holding)

    def _drop(self, holding: _Holding, limit: int) -> None:
        run = holding.run()
        holding.on_disk = 0
        if run is not None:
            replace_values(run, lambda v: AbsentValue(v, _dropped(limit), _HINT) if isinstance(v, StoredValue) else v)

    def _folder(self) -> Path:
        if self._root is None or not self._root.exists():
            self._root = Path(tempfile.mkdtemp(prefix="flytenb-values-"))
            atexit.register(_remove, self._root, os.getpid())
        return self._root


def _dropped(limit: int) -> str:
    return f"the value was dropped to stay within {bytes_text(limit)}; {_HINT}"


class _Files:
    """The files of one value; they are removed with the last value that refers to them, which another run may hold."""

    def __init__(self, root: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(dir=root))
        weakref.finalize(self, _remove, self._folder, os.getpid())

    @property
    def size(self) -> int:
        """Their bytes."""
        return sum(path.stat().st_size for path in self._folder.rglob("*") if path.is_file())

    def write(self, value: CrossingValue, workspace: Workspace) -> Callable[[], tuple[bytes, Orders]]:
        """Write a value; return what reads its literal."""
        literal = self._folder / "literal"
        written = write_value(value, workspace, self._folder / "files")
        literal.write_bytes(written.literal)
        if not written.orders:
            return lambda: (literal.read_bytes(), ())
        orders = self._folder / "orders"
        orders.write_bytes(marshal.dumps([*written.orders]))
        return lambda: (literal.read_bytes(), marshal.loads(orders.read_bytes()))

    def require(self) -> None:
        """Raise AbsentValueError if they were removed."""
        if not self._folder.exists():
            raise AbsentValueError(f"the files of the value in {self._folder} were removed")


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
