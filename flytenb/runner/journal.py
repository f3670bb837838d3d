"""What a run tells: every change becomes an event, kept in order and told to the listeners; who decides is not here."""

from __future__ import annotations

import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterable
from typing import Any

from flytenb.model import Graph, Phase, RunEvent
from flytenb.runner.steps import Record

Listener = Callable[[RunEvent], None]

LOG_LIMIT = 1_000_000


class Journal:
    """The events of one run and those who hear them.

    Attributes:
        lock: whoever changes anything of the run holds it.
        records: what is known of each node, by path.
        run_record: what is known of the run itself.
        events: everything that happened, in order.
    """

    def __init__(self, listeners: Iterable[Listener] = ()) -> None:
        self.lock = threading.RLock()
        self.records: dict[str, Record] = {}
        self.run_record = Record("")
        self.events: list[RunEvent] = []
        self.listeners = list(listeners)

    def emit(self, kind: str, record: Record, **facts: Any) -> None:
        """Keep an event and tell the listeners. Under the lock."""
        self._tell(RunEvent(time.time(), kind, record.path, **facts))

    def set_phase(self, record: Record, phase: Phase, text: str = "") -> None:
        """Move a node on; a phase that nothing can follow stays. Under the lock."""
        if record.phase.is_terminal:
            return
        record.phase = phase
        now = time.time()
        if phase is Phase.RUNNING:
            record.started = now
        elif phase.is_terminal:
            record.ended = now
        self._tell(RunEvent(now, "phase", record.path, phase, text, record.attempts, record.cache))

    def _tell(self, event: RunEvent) -> None:
        self.events.append(event)
        for listener in self.listeners:
            try:
                listener(event)
            except Exception as e:
                # A broken listener must not break the run, nor be silent about it.
                self.listeners = [other for other in self.listeners if other is not listener]
                warnings.warn(f"run listener {listener!r} raised {e!r} and is told no more", stacklevel=2)

    def spawn(self, record: Record, graph: Graph) -> None:
        """Tell what a node turned out to contain."""
        with self.lock:
            self.emit("spawn", record, graph=graph)

    def note(self, record: Record, text: str) -> None:
        """Add a remark of ours to what a node prints."""
        self._write(record, text)

    def sink_of(self, record: Record) -> Callable[[str], None]:
        """Return what adds to what a node prints while somebody holds the run; contexts that a loop keeps don't."""
        journal, node = weakref.ref(self), weakref.ref(record)

        def write(text: str) -> None:
            kept, its = journal(), node()
            if kept is not None and its is not None:
                kept._write(its, text)

        return write

    def _write(self, record: Record, text: str) -> None:
        """Keep what a node prints, up to a limit: a task may print a gigabyte. What comes after its end is no event."""
        # Asked without the lock, which a task that prints without end would hold most of the time.
        if record.log_size >= LOG_LIMIT or not text:
            return
        with self.lock:
            room = LOG_LIMIT - record.log_size
            if room <= 0:
                return
            record.log_size += len(text)
            if len(text) > room:
                text = f"{text[:room]}\n… the rest of what this node printed was dropped\n"
            record.log.append(text)
            if not record.phase.is_terminal:
                self.emit("log", record, text=text)
