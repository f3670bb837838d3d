"""The nodes of a run: inputs, outputs, log, times and error of each, by path."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from flytenb.bridge.context import Workspace
from flytenb.bridge.entities.source import input_types, output_types
from flytenb.bridge.execution.files import Handouts
from flytenb.bridge.execution.kept_values import AbsentValue
from flytenb.errors import UnknownNameError, closest
from flytenb.model import CacheStatus, Graph, NodeState, Phase
from flytenb.runner.absent import read_or_absent
from flytenb.runner.failure import Failure
from flytenb.runner.record import Record
from flytenb.wording.kinds import phase_words
from flytenb.wording.quantities import duration_text
from flytenb.wording.text import clean


@dataclass(frozen=True, slots=True)
class NodeSource:
    """Where the nodes of a run are read.

    Attributes:
        name: the name of the run's entity.
        records: the records of the nodes, by path.
        graph: returns the graph of the run.
        workspace: the contexts in which values are read.
        handouts: copies the files in values that are given out.
    """

    name: str
    records: Mapping[str, Record]
    graph: Callable[[], Graph]
    workspace: Workspace
    handouts: Handouts


class NodeRun:
    """One node of a run. Created by `Run.nodes`."""

    def __init__(self, source: NodeSource, record: Record) -> None:
        self._source = source
        self._record = record

    @property
    def path(self) -> str:
        """The path of the node in the graph."""
        return self._record.path

    @property
    def entity(self) -> Any:
        """The task, workflow or launch plan of the node; None for a branch."""
        return self._record.entity

    @property
    def phase(self) -> Phase:
        """The phase of the node."""
        return self._record.phase

    @property
    def inputs(self) -> dict[str, Any]:
        """The inputs as Python values, copied at each access; empty before the node has started."""
        return {name: self._source.handouts.give(value, declared) for name, value, declared in self._declared_inputs()}

    @property
    def outputs(self) -> dict[str, Any]:
        """The outputs as Python values, copied at each access; empty before the node has succeeded."""
        return {name: self._source.handouts.give(value, declared) for name, value, declared in self._declared_outputs()}

    def _declared_inputs(self) -> list[tuple[str, Any, Any]]:
        """The inputs with names and declared types; files are the run's own and must not be modified."""
        return _with_types(self._read_inputs(), input_types(self.entity))

    def _declared_outputs(self) -> list[tuple[str, Any, Any]]:
        """The outputs with names and declared types; files are the run's own and must not be modified."""
        return _with_types(self._read_outputs(), output_types(self.entity))

    def _read_inputs(self) -> dict[str, Any]:
        if self._record.started is None:
            return {}
        with self._source.workspace.entered():
            return {name: read_or_absent(get) for name, get in self._record.getters}

    def _read_outputs(self) -> dict[str, Any]:
        if self._record.phase is not Phase.SUCCEEDED:
            return {}
        values = self._record.outputs
        with self._source.workspace.entered():
            return {name: read_or_absent(value.native) for name, value in values.items() if value is not None}

    @property
    def log(self) -> str:
        """The printed text."""
        return "".join(self._record.log or ())

    @property
    def links(self) -> tuple[tuple[str, str], ...]:
        """Names and addresses of what services show of it, such as the logs of a connector's job or a run of MLflow."""
        return self._record.links

    @property
    def place(self) -> str:
        """The cluster on which it is executed, `""` if it runs here or its run as a whole is on a cluster."""
        return self._record.place

    @property
    def decks(self) -> tuple[Any, ...]:
        """The decks of its last attempt, also of one that failed, whether or not the task has `enable_deck`.

        Each is an object with `name` and `html`. An attempt of a cached task that called nothing has none.
        """
        return tuple(self._record.decks)

    @property
    def started(self) -> float | None:
        """Time of the start, in seconds since the epoch; None before it."""
        return self._record.started

    @property
    def duration(self) -> float | None:
        """Seconds from the start to the end, or until now; None before the start. Of a re-used node, when it ran.

        Of an element of a map on a cluster it is None: a cluster doesn't report it.
        """
        record = self._record
        if record.ended is not None or record.started is None or not record.is_timed:
            return record.took
        return time.time() - record.started

    @property
    def _earlier(self) -> tuple[str, ...]:
        """The errors of attempts that were followed by another one."""
        return self._record.retries

    @property
    def attempts(self) -> int:
        """The number of attempts."""
        return self._record.attempts

    @property
    def cache_status(self) -> CacheStatus:
        """How the cache was used."""
        return self._record.cache

    @property
    def cache_reason(self) -> str:
        """Why its outputs weren't taken from the cache: "`scale` was redefined in cell 12", "input `x`", "no entry"."""
        return self._record.cache_note

    @property
    def resumed(self) -> str:
        """In a run that resumes another one, from which run the node was re-used, or why it ran; else empty."""
        origin = self._record.origin
        return f"re-used from {origin.run}" if origin is not None else self._record.rerun

    @property
    def waited_for(self) -> tuple[str, ...]:
        """State that the node waited for after its inputs were available, each with the node that used it."""
        return self._record.waited_for

    @property
    def error(self) -> Failure | None:
        """The failure of the node, None if it hasn't failed."""
        return self._record.error

    @property
    def note(self) -> str:
        """Why values of its outputs aren't held any more; `""` if all are."""
        whys = (value.why for value in self._record.outputs.values() if isinstance(value, AbsentValue))
        return "; ".join(dict.fromkeys(whys))

    @property
    def _state(self) -> NodeState:
        """The state that a drawing shows."""
        record = self._record
        return NodeState(
            phase=record.phase,
            duration=self.duration if record.phase.is_terminal else None,
            attempts=record.attempts,
            cache=record.cache,
            done=record.done,
            total=record.total,
            text=str(record.error) if record.error else "",
            place=record.place,
        )

    def __repr__(self) -> str:
        took = "" if self.duration is None else f", {duration_text(self.duration)}"
        note = f", {self.note}" if self._record.phase is Phase.SUCCEEDED and self.note else ""
        name = self._source.graph().entity_name(self.path)
        words = phase_words(self.phase, has_started=self.started is not None)
        return clean(f"<NodeRun {self.path}{name and f' ({name})'} {words}{took}{note}>")


class Nodes(Mapping[str, NodeRun]):
    """The nodes of a run; grows while a run spawns more."""

    def __init__(self, source: NodeSource) -> None:
        self._source = source

    def __getitem__(self, path: str) -> NodeRun:
        record = self._source.records.get(path) if path else None
        if record is None:
            nodes = self._source.graph().nodes.values()
            named = [n.path for n in nodes if n.name == path and n.path in self._source.records]
            if len(named) != 1:
                hint = f"use a path: {', '.join(map(repr, named))}" if named else closest(path, list(self))
                raise UnknownNameError(f"no node {path!r} in the run of {self._source.name!r}", hint=hint)
            record = self._source.records[named[0]]
        return NodeRun(self._source, record)

    def __contains__(self, path: object) -> bool:
        return bool(path) and path in self._source.records

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._source.records))

    def __len__(self) -> int:
        return len(self._source.records)

    def names(self) -> dict[str, str]:
        """Return the name of each node's entity by path, for an element of a map `name[0]`."""
        graph = self._source.graph()
        return {path: graph.entity_name(path) for path in self}

    def __repr__(self) -> str:
        return "\n".join(repr(n) for n in self.values()) or "<no nodes>"


class RunOutcome(Protocol):
    """A run as its timeline and a comparison read it."""

    @property
    def phase(self) -> Phase: ...

    @property
    def started(self) -> float | None: ...

    @property
    def duration(self) -> float | None: ...

    @property
    def outputs(self) -> dict[str, Any]: ...

    @property
    def nodes(self) -> Nodes: ...

    @property
    def graph(self) -> Graph: ...


def _with_types(values: Mapping[str, Any], types: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    return [(name, value, types.get(name)) for name, value in values.items()]
