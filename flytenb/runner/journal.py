"""Events of one run, in order, and their delivery to listeners.

Events are appended under the run's lock. Listeners are called without it, each by at most one thread of the shared pool
at a time: a listener that blocks or raises delays neither the run nor the other listeners.
"""

from __future__ import annotations

import math
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from flytenb.bridge.stopping import shielded
from flytenb.errors import headline
from flytenb.locks import new_rlock
from flytenb.model import CacheStatus, Phase, RunEvent
from flytenb.runner.interrupts import Latch
from flytenb.runner.record import Record
from flytenb.runner.resources import resources
from flytenb.wording.text import class_name, clean, repr_in_time

Listener = Callable[[RunEvent], None]
_Progress = tuple[float, str, int, int]
"""The time, the path of a map, and how many of its elements are done, of how many."""

# Looked up once: an attribute of an enumeration's class takes 0.3 µs in Python 3.11.
_QUEUED, _RUNNING, _SUCCEEDED, _NOT_CACHED = Phase.QUEUED, Phase.RUNNING, Phase.SUCCEEDED, CacheStatus.DISABLED
LOG_LIMIT = 1_000_000
"""Maximum number of characters kept of the output of a node."""


class _Subscription:
    """A listener and the number of events that it has received."""

    __slots__ = ("idle", "is_busy", "is_removed", "listener", "position", "thread")

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.position = 0
        self.is_busy = False
        self.is_removed = False
        self.thread = 0
        self.idle: list[Latch] = []


class Journal:
    """The events of one run and its listeners.

    Attributes:
        lock: held while the state of the run changes; never while a user's code runs.
        records: the records of the nodes, by path.
        run_record: the record of the run itself.
        weak: a weak reference to the journal.
        spawned: the events with the graphs of added nodes.
    """

    def __init__(self, listeners: Iterable[Listener] = ()) -> None:
        self.lock = new_rlock()
        self.records: dict[str, Record] = {}
        self.weak = weakref.ref(self)
        self.run_record = Record("", self.weak)
        self.spawned: list[RunEvent] = []
        self._entries: list[RunEvent | Record | _Progress] = []
        self._phases: list[Phase | None] = []
        self._subscriptions = [_Subscription(listener) for listener in listeners]

    # --- events, under the lock --------------------------------------------------------------------------------

    @property
    def events(self) -> list[RunEvent]:
        """The events so far, in order."""
        return [self._event(position) for position in range(len(self._phases))]

    @property
    def size(self) -> int:
        """The number of events so far."""
        return len(self._phases)

    def emit(self, kind: str, record: Record, at: float | None = None, **facts: Any) -> None:
        """Append an event, now or at a given time. Under the lock."""
        event = RunEvent(time.time() if at is None else at, kind, record.path, **facts)
        if event.graph is not None:
            self.spawned.append(event)
        self._append(event)

    def emit_progress(self, record: Record) -> None:
        """Append an event with the progress of a map. Under the lock."""
        self._append((time.time(), record.path, record.done, record.total))

    def restore(self, events: Iterable[RunEvent]) -> None:
        """Append the events of a run that is over."""
        for event in events:
            if event.graph is not None:
                self.spawned.append(event)
            self._append(event)

    def set_phase(self, record: Record, phase: Phase, text: str = "", at: float | None = None) -> None:
        """Change the phase of a node, now or at a given time, unless it has ended. Under the lock."""
        if record.ended is not None:
            return
        record.phase = phase
        now = time.time() if at is None else at
        if phase is _RUNNING:
            record.started = now
        elif phase is not _QUEUED:
            record.ended = now
        is_plain = record.is_timed and (phase is _SUCCEEDED or phase is _RUNNING)
        if is_plain and record.attempts == 1 and record.cache is _NOT_CACHED and not text:
            self._append(record, phase)
        else:
            is_told = record.ended is None or (record.origin is None and record.is_timed)  # by the two times
            took = None if is_told else math.nan if record.took is None else record.took
            self._append(RunEvent(now, "phase", record.path, phase, text, record.attempts, record.cache, took=took))

    def adopt(
        self, nodes: Iterable[Record], spawned: Iterable[RunEvent], mark: Callable[[Record, Record], None]
    ) -> None:
        """Add nodes of an earlier run that needn't run, and the events that added their graphs."""
        with self.lock:
            for event in spawned:
                self._append(replaced := event._replace(time=time.time()))
                self.spawned.append(replaced)
            for old in nodes:
                made = self.records[old.path] = old.copy(self.weak)
                mark(made, old)
                self.set_phase(made, _RUNNING)
                self.set_phase(made, old.phase, "" if old.error is None else old.error.message)

    def _append(self, entry: RunEvent | Record | _Progress, phase: Phase | None = None) -> None:
        """Append an event. The start and success of a node are kept as its record and converted to events when read.

        A run has two of these per node, and the garbage collector would traverse each event. Plain tuples, which the
        progress of maps is kept as, aren't traversed either.
        """
        self._entries.append(entry)
        self._phases.append(phase)
        if self._subscriptions:
            for subscription in self._subscriptions:
                self._serve(subscription)

    def _event(self, position: int) -> RunEvent:
        entry, phase = self._entries[position], self._phases[position]
        if isinstance(entry, RunEvent):
            return entry
        if isinstance(entry, tuple):
            now, path, done, total = entry
            return RunEvent(now, "progress", path, done=done, total=total)
        at = entry.started if phase is _RUNNING else entry.ended
        return RunEvent(at or 0.0, "phase", entry.path, phase, "", 1, _NOT_CACHED)

    # --- listeners ---------------------------------------------------------------------------------------------

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call a listener with all events so far and all later ones; return a function that removes it."""
        subscription = _Subscription(listener)
        with self.lock:
            self._subscriptions = [*self._subscriptions, subscription]
            self._serve(subscription)

        def remove() -> None:
            with self.lock:
                self._remove(subscription)

        return remove

    def drain(self, seconds: float) -> None:
        """Wait until every listener has received all events, for at most a number of seconds.

        A listener that calls this itself isn't waited for.
        """
        until = time.monotonic() + seconds
        latches = []
        with self.lock:
            for subscription in self._subscriptions:
                if subscription.is_busy and subscription.thread != threading.get_ident():
                    latches.append(Latch())
                    subscription.idle.append(latches[-1])
        for latch in latches:
            latch.wait(max(0.0, until - time.monotonic()))

    def _serve(self, subscription: _Subscription) -> None:
        """Start the delivery of pending events on a thread, unless one is active. Under the lock."""
        if not subscription.is_busy and subscription.position < len(self._phases):
            subscription.is_busy = True
            resources.workers.submit(lambda: self._deliver(subscription))

    def _deliver(self, subscription: _Subscription) -> None:
        subscription.thread = threading.get_ident()
        for event in iter(lambda: self._next(subscription), None):
            try:
                subscription.listener(event)
            except BaseException as e:
                with self.lock:
                    self._remove(subscription)
                complain(f"removed run listener {name_of(subscription.listener)} because it raised {headline(e)}")

    def _next(self, subscription: _Subscription) -> RunEvent | None:
        with self.lock:
            if not subscription.is_removed and subscription.position < len(self._phases):
                subscription.position += 1
                return self._event(subscription.position - 1)
            subscription.is_busy = False
            subscription.thread = 0
            idle, subscription.idle = subscription.idle, []
        for latch in idle:
            latch.set()
        return None

    def _remove(self, subscription: _Subscription) -> None:
        subscription.is_removed = True
        self._subscriptions = [other for other in self._subscriptions if other is not subscription]

    # --- output of nodes ---------------------------------------------------------------------------------------

    def note(self, record: Record, text: str) -> None:
        """Add a remark of flytenb to the output of a node."""
        self.write(record, text)

    def write(self, record: Record, text: str) -> None:
        """Keep the output of a node, up to a limit. There are no events after its end."""
        # Checked without the lock, which a task that prints without end would hold most of the time.
        if record.log_size >= LOG_LIMIT or not text:
            return
        with shielded(), self.lock:
            room = LOG_LIMIT - record.log_size
            if room <= 0:
                return
            record.log_size += len(text)
            if len(text) > room:
                text = f"{text[:room]}\n… the rest of what this node printed was dropped\n"
            if record.log is None:
                record.log = []
            record.log.append(text)
            if not record.phase.is_terminal:
                self.emit("log", record, text=text)


def complain(text: str) -> None:
    """Warn of an error of a user's hook; if warnings are errors, print it to standard error."""
    try:
        warnings.warn(text, stacklevel=2)
    except Warning:
        with suppress(Exception):
            print(text, file=sys.stderr)  # noqa: T201 - the warning itself can't be raised on this thread


def name_of(value: object) -> str:
    """Return the repr of an object, or the name of its type if the repr raises or takes too long."""
    try:
        return clean(repr_in_time(value))
    except BaseException:
        return f"<{class_name(value)}>"
