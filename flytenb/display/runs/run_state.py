"""State of a run, computed from its events only."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass

from flytenb.model import CacheStatus, Graph, NodeState, Phase, RunEvent


@dataclass(slots=True)
class NodeRecord:
    """State of one node; times are in seconds since the epoch."""

    phase: Phase = Phase.QUEUED
    started: float | None = None
    ended: float | None = None
    attempts: int = 0
    cache: CacheStatus | None = None
    done: int = 0
    total: int = 0
    text: str = ""
    place: str = ""
    took: float | None = None

    @property
    def state(self) -> NodeState:
        """The same state, as a drawing shows it."""
        took = None if self.started is None or self.ended is None else self.ended - self.started
        if self.took is not None:
            took = None if math.isnan(self.took) else self.took
        return NodeState(self.phase, took, self.attempts, self.cache, self.done, self.total, self.text, self.place)


_UNTOUCHED = NodeRecord()


class RunState:
    """State of a run and its nodes, by path; `""` is the run itself.

    `take` is the run's listener: it only queues an event, since the threads that run nodes wait for it. `read` applies
    the queued events on the reader's thread.

    Attributes:
        entries: the state of each node with an event.
        waiting: questions of the gates that wait for an answer, by path.
        spawned: pairs of a node's path and the graph that it added, in order.
    """

    def __init__(self) -> None:
        self.entries: dict[str, NodeRecord] = {"": NodeRecord()}
        self.waiting: dict[str, str] = {}
        self.spawned: list[tuple[str, Graph]] = []
        self._inbox: deque[RunEvent] = deque()
        self.take = self._inbox.append

    @classmethod
    def of(cls, events: Iterable[RunEvent]) -> RunState:
        """Return the state after some events."""
        state = cls()
        state._inbox.extend(events)
        state.read()
        return state

    @property
    def run(self) -> NodeRecord:
        """State of the run itself."""
        return self.entries[""]

    def read(self) -> tuple[set[str], set[str]]:
        """Apply the queued events; return the paths of nodes that changed, and of those that printed something."""
        changed: set[str] = set()
        printed: set[str] = set()
        inbox = self._inbox
        for _ in range(len(inbox)):
            event = inbox.popleft()
            if event.kind == "log":
                printed.add(event.path)
            else:
                self._enter(event)
                changed.add(event.path)
        return changed, printed

    def _enter(self, event: RunEvent) -> None:
        entry = self.entries.get(event.path)
        if entry is None:
            entry = self.entries[event.path] = NodeRecord()
        if event.kind == "phase" and event.phase is not None:
            self._move(event, entry, event.phase)
        elif event.kind == "attempt":
            entry.attempts = event.attempt + 1
        elif event.kind == "progress":
            entry.done, entry.total = event.done, event.total
        elif event.kind == "gate":
            self.waiting[event.path] = entry.text = event.text
        elif event.kind == "place":
            entry.place = event.text
        elif event.kind == "notice":
            entry.text = event.text
        elif event.kind == "spawn" and event.graph is not None:
            self.spawned.append((event.path, event.graph))

    def _move(self, event: RunEvent, entry: NodeRecord, phase: Phase) -> None:
        entry.phase = phase
        entry.attempts = max(entry.attempts, event.attempt)
        entry.cache = event.cache
        entry.took = event.took
        if phase is Phase.RUNNING:
            entry.started = event.time
        elif phase.is_terminal:
            entry.ended = event.time
            entry.text = event.text
            self.waiting.pop(event.path, None)

    def counts(self, paths: Iterable[str]) -> Counter[tuple[Phase, bool]]:
        """Return the number of these nodes in each phase, with whether they have started."""
        found = (self.entries.get(path, _UNTOUCHED) for path in paths)
        return Counter((entry.phase, entry.started is not None) for entry in found)
