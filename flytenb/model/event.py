"""What a run tells the outside: one event per change; who listens and when is left to the run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from flytenb.model.graph import Graph


class Phase(StrEnum):
    """Where a node or a run stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    ABORTED = "ABORTED"
    SKIPPED = "SKIPPED"
    TIMED_OUT = "TIMED_OUT"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing can follow."""
        return self not in _BEFORE_THE_END


_BEFORE_THE_END = (Phase.QUEUED, Phase.RUNNING)


class CacheStatus(StrEnum):
    """What the cache did for a node."""

    DISABLED = "DISABLED"
    HIT = "HIT"
    MISS = "MISS"
    POPULATED = "POPULATED"
    SKIPPED = "SKIPPED"


class RunEvent(NamedTuple):
    """One change in a run.

    `kind` is one of
    - `"phase"`: the node at `path` (or the run itself, path `""`) is now in `phase`; a terminal phase that came
      from a failure carries the message in `text`; `cache` tells what the cache did.
    - `"attempt"`: attempt number `attempt` (from 1) of the node failed and is retried; `text` says why.
    - `"log"`: the node wrote `text` to standard output or error.
    - `"spawn"`: the node turned out to contain `graph`, whose paths already start with the node's own.
    - `"progress"`: `done` of `total` elements of a map are finished.
    - `"gate"`: the node waits for an answer; `text` says for what.
    - `"wait"`: the node's inputs are there, but it has to wait for process-wide state; `text` says for which.

    `time` is seconds since the epoch. A NamedTuple, not a dataclass: a run emits four a node, and a frozen dataclass
    takes three times as long to make.
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


@dataclass(frozen=True, slots=True)
class NodeState:
    """Where one node of a run stands, in the words that a drawing shows.

    Attributes:
        phase: where it stands.
        duration: seconds from its start to its end, or to now; None while it hasn't started.
        attempts: how often it was started.
        cache: what the cache did, None if nobody asked it.
        done: finished elements of a map, or finished nodes of a container.
        total: all of them; 0 if it has none.
        text: why it failed, or what it waits for.
    """

    phase: Phase
    duration: float | None = None
    attempts: int = 0
    cache: CacheStatus | None = None
    done: int = 0
    total: int = 0
    text: str = ""
