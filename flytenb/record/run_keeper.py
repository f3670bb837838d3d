"""Writes runs to their folders, on a thread of its own; neither a run nor a cell waits for it.

A run is written when it has ended, and a long one also while it goes on, as far as it is.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakSet

from flytenb.errors import headline
from flytenb.record.run_description import RunDescription
from flytenb.record.run_store import RunStore, StoreError
from flytenb.runner.interrupts import held_back
from flytenb.runner.journal import complain
from flytenb.runner.resources import resources
from flytenb.runner.run import Run

_AT_EXIT = 60.0
"""Most seconds that the exit of the interpreter waits for runs to be written."""
_DAY = 86_400.0
_EVERY = 5.0
"""Seconds after which a run that goes on is written, and again and again while nodes of it end."""
_SHARE = 20
"""A run that goes on is written again after this many times the seconds that it took to write it."""


@dataclass(frozen=True)
class KeepRules:
    """Where runs are kept, and for how long.

    Attributes:
        folder: the folder.
        days: the age at which they are removed.
        size: the size in bytes beyond which the oldest ones are removed.
    """

    folder: Path
    days: float
    size: int


class RunKeeper:
    """Keeps runs; a run that can't be kept is reported by a warning, once for each reason."""

    def __init__(self) -> None:
        self._stores: dict[Path, RunStore] = {}
        self._said: set[str] = set()
        self.start_anew()
        os.register_at_fork(after_in_child=self.start_anew)
        atexit.register(self.wait, _AT_EXIT)

    def start_anew(self) -> None:
        """Start without a thread and without runs to write: a forked process leaves these to its parent."""
        self._changed = threading.Condition()
        self._followed: WeakSet[Run] = WeakSet()
        self._waiting: deque[tuple[Run, KeepRules]] = deque()
        self._begun: dict[str, RunDescription] = {}
        self._alarms: dict[str, int] = {}
        self._is_running = False

    def follow(self, run: Run, rules: KeepRules) -> None:
        """Keep a run once it has ended."""
        with held_back(), self._changed:
            self._followed.add(run)
        run.on_finish(lambda: self._put(run, rules))
        self._put_later(weakref.ref(run), rules, _EVERY)

    def _put_later(self, run: weakref.ref[Run], rules: KeepRules, seconds: float) -> None:
        """Write a run after some seconds if it goes on."""

        def put() -> None:
            found = run()
            with self._changed:
                is_on = found is not None and found in self._followed and self._alarms.pop(found.id, None) is not None
                if is_on and found is not None:
                    self._waiting.append((found, rules))
                    self._start()

        found = run()
        with held_back(), self._changed:
            if found is not None and found in self._followed:
                self._alarms[found.id] = resources.clock.call_later(seconds, put)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the runs that have ended are written; return whether they are."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._is_running and not self._has_ended(), seconds)

    def wait_for_run(self, identifier: str) -> bool:
        """Wait until the runs with an id, or its first characters, are written if they have ended; others may wait.

        Returns:
            Whether one of them goes on.
        """

        def is_written() -> bool:
            is_queued = any(run.id.startswith(identifier) for run, _ in self._waiting)
            return not is_queued and not self._has_ended(identifier)

        with self._changed:
            self._changed.wait_for(is_written)
            return any(run.id.startswith(identifier) for run in self._followed)

    def _has_ended(self, identifier: str = "") -> bool:
        """Whether a run has ended whose end isn't known here yet."""
        return any(run.phase.is_terminal for run in self._followed if run.id.startswith(identifier))

    def close(self) -> None:
        """Close the databases that are open, and report each reason anew; following runs open them again."""
        for store in self._stores.values():
            store.close()
        self._said.clear()

    def _put(self, run: Run, rules: KeepRules) -> None:
        with self._changed:
            self._followed.discard(run)
            alarm = self._alarms.pop(run.id, None)
            self._waiting.append((run, rules))
            self._start()
        if alarm is not None:
            resources.clock.cancel(alarm)

    def _start(self) -> None:
        """Start the thread, unless it is running. Under the lock."""
        if not self._is_running:
            self._is_running = True
            threading.Thread(target=self._write_all, name="flytenb-keep", daemon=True).start()

    def _write_all(self) -> None:
        """Write runs until none waits; the thread ends then, so that it holds none."""
        while True:
            with self._changed:
                if not self._waiting:
                    self._is_running = False
                    self._changed.notify_all()
                    return
                run, rules = self._waiting[0]
            self._write(run, rules)
            del run
            with self._changed:
                self._waiting.popleft()
                self._changed.notify_all()

    def _write(self, run: Run, rules: KeepRules) -> None:
        store = self._stores.setdefault(rules.folder, RunStore(rules.folder))
        began, is_over = time.monotonic(), run.phase.is_terminal
        try:
            if is_over or run.started is not None:
                self._describe(run, store, is_over=is_over)
                store.prune(rules.days * _DAY, rules.size)
        except StoreError as e:
            self._say("a run wasn't kept", str(e))
        except BaseException as e:  # what a run holds is the user's; the thread must go on
            self._say("a run wasn't kept", headline(e))
        if not is_over:
            self._put_later(weakref.ref(run), rules, max(_EVERY, _SHARE * (time.monotonic() - began)))

    def _describe(self, run: Run, store: RunStore, *, is_over: bool) -> None:
        """Write a run; what was written of it before isn't written again, unless that failed."""
        started = run.started or 0.0
        files = store.begin(run.id, started)
        description = self._begun.pop(run.id, None) or RunDescription(run, files)
        store.write(run.id, started, description.write(is_over=is_over), is_over=is_over)
        if is_over and description.failure:
            self._say("a run was kept without some of its values", description.failure)
        elif is_over:
            run._is_kept = True
        elif not description.failure:
            self._begun[run.id] = description

    def _say(self, what: str, why: str) -> None:
        if why not in self._said:
            self._said.add(why)
            complain(f"{what}: {why}")
