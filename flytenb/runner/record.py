"""State of one node of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from flytenb.bridge.crossing import hash_of
from flytenb.model import CacheStatus, Phase
from flytenb.runner.use import Getter, Input, Use, Wires

if TYPE_CHECKING:
    from flytenb.bridge.crossing import CrossingValue
    from flytenb.runner.failure import Failure

# Looked up once: an attribute of an enumeration's class takes 0.3 µs in Python 3.11.
_QUEUED, _NOT_CACHED = Phase.QUEUED, CacheStatus.DISABLED


class RunLog(Protocol):
    """The log and the records of a run."""

    records: dict[str, Record]

    def write(self, record: Record, text: str) -> None: ...


class Record:
    """The state of one node; changed by the scheduler only, under its lock."""

    __slots__ = (
        "__weakref__", "attempts", "cache", "cache_note", "decks", "done", "ended", "error", "links", "log", "log_size",
        "path", "phase", "place", "retries", "run_log", "started", "total", "use", "waited_for", "wires",
    )  # fmt: skip

    def __init__(
        self, path: str, run_log: Callable[[], RunLog | None], use: Use | None = None, wires: Wires | None = None
    ) -> None:
        self.path = path
        self.run_log = run_log
        self.use = use
        self.wires = wires
        self.phase = _QUEUED
        self.started: float | None = None
        self.ended: float | None = None
        self.attempts = 0
        self.cache = _NOT_CACHED
        self.cache_note = ""
        self.error: Failure | None = None
        self.retries: tuple[str, ...] = ()
        self.log: list[str] | None = None
        self.log_size = 0
        self.links: tuple[tuple[str, str], ...] = ()
        self.decks: Sequence[Any] = ()
        self.place = ""
        self.done = 0
        self.total = 0
        self.waited_for: tuple[str, ...] = ()

    @property
    def entity(self) -> Any:
        """The entity; None for a branch."""
        return None if self.use is None else self.use.entity

    @property
    def getters(self) -> Sequence[tuple[str, Getter]]:
        """Functions that take the inputs, by name."""
        wires = self.wires
        return () if wires is None else [(name, partial(wires.take, key, number)) for name, key, number in self.inputs]

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The inputs, as a run takes them."""
        return () if self.use is None else self.use.inputs

    @property
    def outputs(self) -> dict[str, CrossingValue | None]:
        """The outputs by name; None for one that doesn't exist yet."""
        if self.use is None or self.wires is None:
            return {}
        return {name: self.wires.values.get(key) for name, key in self.use.outputs}

    def hashes(self) -> dict[str, str]:
        """Return the hashes that producers gave to inputs by a `HashMethod`; a cluster's cache uses only these."""
        if self.use is None or self.wires is None:
            return {}
        values, found = self.wires.values, {}
        for name, source in self.use.sources:
            value = source(values)
            said = None if value is None else hash_of(value)
            if said is not None:
                found[name] = said
        return found

    def write(self, text: str) -> None:
        """Append to the node's log, unless its run has been collected."""
        log = self.run_log()
        if log is not None:
            log.write(self, text)
