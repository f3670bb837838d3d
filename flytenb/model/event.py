"""Run events and the states of nodes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from flytenb.model.graph import Graph


class Phase(StrEnum):
    """The phase of a node or a run."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    ABORTED = "ABORTED"
    SKIPPED = "SKIPPED"
    TIMED_OUT = "TIMED_OUT"

    @property
    def is_terminal(self) -> bool:
        """Whether it is final."""
        return self not in _UNFINISHED


_UNFINISHED = (Phase.QUEUED, Phase.RUNNING)


class CacheStatus(StrEnum):
    """The use of the cache for a node."""

    DISABLED = "DISABLED"
    HIT = "HIT"
    MISS = "MISS"
    POPULATED = "POPULATED"
    SKIPPED = "SKIPPED"
    REUSED = "REUSED"
    """The outputs are those of an earlier run, which this run resumed."""


class RunEvent(NamedTuple):
    """One change in a run.

    `kind` is one of
    - `"phase"`: the node at `path` (or the run itself, path `""`) entered `phase`; `text` is the message of a
      failure, `cache` the use of the cache, `took` the seconds that it took if the times of its events don't tell: of a
      re-used node, when it ran, NaN if it is unknown.
    - `"attempt"`: attempt number `attempt` (from 1) of the node failed and is retried; `text` is the message.
    - `"log"`: the node wrote `text` to standard output or error.
    - `"spawn"`: the node contains `graph`, whose paths start with the node's own.
    - `"progress"`: `done` of `total` elements of a map are finished.
    - `"gate"`: the node waits for an answer to the question `text`.
    - `"wait"`: the node is ready, but waits for the process-wide state `text`.
    - `"place"`: the node is executed on the cluster `text`.
    - `"notice"`: a remark on the run as a whole, such as a lost connection; an empty `text` ends it.

    `time` is in seconds since the epoch. A NamedTuple, since a run emits four per node and creating a frozen
    dataclass takes three times as long.
    """

    time: float
    kind: str
    path: str
    phase: Phase | None = None
    text: str = ""
    attempt: int = 0
    cache: CacheStatus | None = None
    done: int = 0
    total: int = 0
    graph: Graph | None = None
    took: float | None = None


@dataclass(frozen=True, slots=True)
class NodeState:
    """The state of one node of a run, as a drawing shows it.

    Attributes:
        phase: its phase.
        duration: seconds from its start to its end, or to now; None before its start, or if it is unknown.
        attempts: the number of starts.
        cache: the use of the cache, None if it wasn't used.
        done: finished elements of a map, or finished nodes of a container.
        total: the number of elements or nodes, 0 if there are none.
        text: the message of its failure, or what it waits for.
        place: the cluster on which it is executed, `""` for a node that runs where its run does.
    """

    phase: Phase
    duration: float | None = None
    attempts: int = 0
    cache: CacheStatus | None = None
    done: int = 0
    total: int = 0
    text: str = ""
    place: str = ""

    @property
    def has_started(self) -> bool:
        """Whether it has started."""
        return self.duration is not None or self.attempts > 0

    @property
    def source(self) -> CacheStatus | None:
        """Where a node that succeeded without running has its outputs from: `HIT` or `REUSED`; None for all others."""
        is_kept = self.phase is Phase.SUCCEEDED and self.cache in (CacheStatus.HIT, CacheStatus.REUSED)
        return self.cache if is_kept else None
