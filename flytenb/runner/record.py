"""State of one node of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from flytenb.bridge.crossing import hash_of
from flytenb.bridge.entities.interface import short_name
from flytenb.model import CacheStatus, Phase
from flytenb.model.workflow import Promise
from flytenb.runner.use import Getter, Input, Use, Wires
from flytenb.wording.text import class_name

if TYPE_CHECKING:
    from flytenb.bridge.crossing import CrossingValue
    from flytenb.reach.read_results import FileRead
    from flytenb.runner.failure import Failure

# Looked up once: an attribute of an enumeration's class takes 0.3 µs in Python 3.11.
_QUEUED, _NOT_CACHED = Phase.QUEUED, CacheStatus.DISABLED

_COPIED = ("attempts", "built", "code", "decks", "done", "error", "files", "links", "log", "reads", "sent", "total")


WERE_SET = "its outputs were set"
"""Why a node whose outputs are given doesn't run."""


class RunLog(Protocol):
    """The log and the records of a run."""

    records: dict[str, Record]

    def write(self, record: Record, text: str) -> None: ...


class CodeState(NamedTuple):
    """The code of an entity at one time.

    Attributes:
        digest: of the code and everything that it reaches; empty if that can't be read.
        unread: why it can't be read.
        names: the globals that it reads, each with its scope and the identity of its value.
    """

    digest: bytes
    unread: str = ""
    names: tuple[tuple[dict[str, Any], str, int], ...] = ()

    def rebound(self) -> Iterator[str]:
        """Yield the globals that have another value by now."""
        for scope, name, before in self.names:
            if id(scope.get(name)) != before:
                yield name


class ComparedFacts(NamedTuple):
    """What of a node its outputs depend on, besides its code and its inputs: the entity's name, and its settings."""

    name: str
    settings: str


class ReusedFrom(NamedTuple):
    """The run from which a re-used node has its outputs: its name, and the seconds that the node took there."""

    run: str
    took: float | None


class Record:
    """The state of one node; changed by the scheduler only, under its lock, and by its step while that runs.

    `code`, `reads` (of files; a text says why they aren't known, None that they weren't observed) and `sent` (to a
    service, or its image) say what the outputs depend on besides inputs, `built` is the workflow that a dynamic's
    function built, `files` the user's own files in the outputs as they were at its end, None if that isn't known,
    `origin` where a re-used node has its outputs from, `rerun` why a node of a resumed run ran again. `is_timed` is
    false if its times are those at which its phases were seen, so that they don't say how long it took.
    """

    __slots__ = (
        "__weakref__", "attempts", "built", "cache", "cache_note", "code", "decks", "done", "ended", "error", "files",
        "is_timed", "links", "log", "log_size", "origin", "path", "phase", "place", "reads", "rerun", "retries",
        "run_log", "sent", "started", "total", "use", "waited_for", "wires",
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
        self.is_timed = True
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
        self.code: CodeState | None = None
        self.reads: tuple[FileRead, ...] | str | None = ()
        self.files: tuple[FileRead, ...] | None = ()
        self.sent = ""
        self.built: Any = None
        self.origin: ReusedFrom | None = None
        self.rerun = ""

    @property
    def took(self) -> float | None:
        """Seconds from the start to the end, of a re-used node when it ran; None before the end, or if unknown."""
        if self.ended is None or self.started is None or not self.is_timed:
            return None
        return self.ended - self.started if self.origin is None else self.origin.took

    @property
    def entity(self) -> Any:
        """The entity; None for a branch."""
        return None if self.use is None else self.use.entity

    @property
    def named(self) -> str:
        """The path and the name of the entity: `'n0' (train)`, `'n1/37' (fit[37])` of an element of a map."""
        return repr(self.path) if self.entity is None else f"{self.path!r} ({self.entity_name})"

    @property
    def entity_name(self) -> str:
        """The name of the entity, `fit[37]` of an element of a map; the path if there is none."""
        if self.entity is None:
            return self.path
        number = self.path.rpartition("/")[2]
        return f"{short_name(self.entity)}{f'[{number}]' if number.isdigit() else ''}"

    @property
    def facts(self) -> ComparedFacts | None:
        """What a later run compares; None of a branch, and of a node that it isn't known of."""
        if self.use is None or self.entity is None:
            return None
        image = str(getattr(self.entity, "container_image", None))
        return ComparedFacts(short_name(self.entity), f"{self.use.policy} {class_name(self.entity)} {image}")

    def whole_input(self, name: str) -> CrossingValue | None:
        """Return the value that fills an input as it is; None if a part of it does, or several."""
        bound = None if self.use is None else self.use.bindings.get(name)
        if not isinstance(bound, Promise) or bound.attributes or self.wires is None:
            return None
        return self.wires.values.get((bound.path, bound.output))

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

    def copy(self, run_log: Callable[[], RunLog | None]) -> Record:
        """Return the same node for another run, which hasn't begun it."""
        made = self._made_like(run_log)
        for name in (
            "attempts",
            "built",
            "code",
            "decks",
            "done",
            "error",
            "files",
            "links",
            "log",
            "reads",
            "sent",
            "total",
        ):
            setattr(made, name, getattr(self, name))
        return made

    def _made_like(self, run_log: Callable[[], RunLog | None]) -> Record:
        return Record(self.path, run_log, self.use, self.wires)

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
