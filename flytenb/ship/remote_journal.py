"""Facts about an execution, entered in the journal of a run."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from types import MappingProxyType
from typing import Any, NamedTuple

from flytenb.bridge.cluster.closure_graph import closure_gates, closure_graph, eager_paths
from flytenb.bridge.cluster.execution_facts import AttemptFacts, NodeFacts, Ran, element_message
from flytenb.bridge.cluster.execution_reader import ExecutionReader
from flytenb.bridge.cluster.node_entities import entity_named
from flytenb.bridge.cluster.remote_values import RemoteValues, element_values
from flytenb.bridge.context import Workspace
from flytenb.bridge.entities.gate import GateFacts, find_gate
from flytenb.bridge.entities.interface import is_map, map_target
from flytenb.bridge.entities.source import input_types, output_types
from flytenb.model import Graph, Kind, Phase
from flytenb.runner.failure import Failure
from flytenb.runner.journal import Journal
from flytenb.runner.record import Record
from flytenb.ship.cluster_clock import ClusterClock
from flytenb.ship.eager_calls import EagerCalls
from flytenb.ship.remote_record import RemoteDeck, RemoteRecord, remote_failure

_FAILED = (Phase.FAILED, Phase.TIMED_OUT)
_NO_MESSAGE = "the cluster keeps no message of this element"
_UNNAMED = (Kind.BRANCH, Kind.GATE, Kind.MAP)
"""Nodes whose names aren't those of their entities."""


@dataclass
class RemoteOutcome:
    """How an execution ended."""

    failure: Failure | None = None
    also_failed: tuple[Failure, ...] = ()
    is_over: bool = False


class NodeNews(NamedTuple):
    """What was read of a node: its path, its facts, what asks the cluster about its execution, and its attempts."""

    path: str
    node: NodeFacts
    reader: ExecutionReader
    attempts: tuple[AttemptFacts, ...] = ()

    @property
    def depth(self) -> int:
        """How many nodes are around it."""
        return self.path.count("/")


_Step = tuple[float, Callable[[RemoteRecord, NodeNews], None], NodeNews]


class RemoteJournal:
    """Enters what a cluster says in a journal, each change once, under its lock.

    Args:
        journal: the journal of the run.
        outcomes: receives the failures.
        workspace: the contexts in which values are read.
        entities: the notebook's entities by the paths of their nodes.

    Attributes:
        gates: the gates that wait, by path.
        clock: the clock of the cluster.
    """

    def __init__(
        self,
        journal: Journal,
        outcomes: RemoteOutcome,
        workspace: Workspace,
        entities: Mapping[str, Any],
    ) -> None:
        self.gates: dict[str, GateFacts] = {}
        self._journal = journal
        self._outcomes = outcomes
        self._workspace = workspace
        self._entities = dict(entities)
        self._eager: dict[str, str] = {}
        self._branches: set[str] = set()
        self._known_gates: dict[str, GateFacts] = {}
        self._latest = 0.0
        self.clock = ClusterClock()

    # --- the run -----------------------------------------------------------------------------------------------------

    def plan(self, graph: Graph) -> None:
        """Add the nodes of a graph, before any of them has started."""
        with self._journal.lock:
            self._add(graph)

    def _add(self, graph: Graph, prefix: str = "") -> None:
        """Add the nodes of a graph whose paths start with the prefix here. Under the lock."""
        self._eager |= {prefix + path: name for path, name in eager_paths(graph).items()}
        for path, node in graph.nodes.items():
            if not node.is_pseudo:
                self._record(prefix + path)
            if node.kind is Kind.BRANCH:
                self._branches.add(prefix + path)

    def add_gates(self, gates: Mapping[str, GateFacts]) -> None:
        """Add gates, by path, of which the notebook may have no entity."""
        self._known_gates.update(gates)

    def calls_at(self, path: str, reader: ExecutionReader) -> EagerCalls | None:
        """Return the calls of an eager task that is a node of an execution, None for another node."""
        name = self._eager.get(path)
        return None if name is None else EagerCalls(path, reader, name, self._journal.records[path].entity)

    def begin(self, ran: Ran) -> bool:
        """Start the run; return whether this is news."""
        run = self._journal.run_record
        with self._journal.lock:
            if run.started is not None or ran.phase is Phase.QUEUED:
                return False
            self._note_clock(ran)
            self._journal.set_phase(run, Phase.RUNNING, at=self._at(ran.started))
            return True

    def _note_clock(self, ran: Ran) -> None:
        """Note how the clock of the cluster differs, from the times of the execution."""
        self.clock.note(ran.started, ran.ended)
        self.clock.note_start(ran.started)

    def notice(self, text: str) -> None:
        """Add a remark on the run."""
        with self._journal.lock:
            self._journal.emit("notice", self._journal.run_record, text=text)

    def spawn(self, path: str, inside: Any) -> None:
        """Add what a dynamic node has made."""
        graph, around = closure_graph(inside, path), self._entities.get(path)
        self.add_gates(closure_gates(inside, path))
        nodes = {at: node for at, node in graph.nodes.items() if not node.is_pseudo and node.kind not in _UNNAMED}
        found = {at: entity_named(around, node.name) for at, node in nodes.items()}
        self.grow(path, graph, {at: entity for at, entity in found.items() if entity is not None})

    def grow(self, path: str, graph: Graph, entities: Mapping[str, Any] = MappingProxyType({})) -> None:
        """Add nodes inside of a node."""
        with self._journal.lock:
            self._entities.update(entities)
            record = self._journal.records[path] if path in self._journal.records else self._record(path)
            self._add(graph)
            self._journal.emit("spawn", record, self._last, graph=graph)

    def finish(self, ran: Ran) -> None:
        """End the run; nodes that never started are skipped, or aborted with it."""
        journal, outcomes = self._journal, self._outcomes
        with journal.lock:
            failures = self._end_rest([*journal.records.values()], ran)
            if ran.phase in _FAILED:
                failures = failures or [remote_failure("", ran, None, self._workspace)]
                outcomes.failure, *others = failures
                outcomes.also_failed = tuple(others)
            outcomes.is_over = True
            self.gates.clear()
            text = outcomes.failure.message if outcomes.failure else ran.message
            journal.set_phase(journal.run_record, ran.phase, text, at=self._at(ran.ended))

    def _end_rest(self, records: Sequence[Record], ran: Ran) -> list[Failure]:
        """End records that haven't ended; return the failures, the first one first. Under the lock."""
        rest = Phase.SKIPPED if ran.phase is Phase.SUCCEEDED else Phase.ABORTED
        for record in records:
            if record.ended is None:
                self._journal.set_phase(record, rest, at=self._at(ran.ended))
        return sorted(_innermost(records), key=lambda f: self._journal.records[f.path].ended or 0.0)

    # --- nodes -------------------------------------------------------------------------------------------------------

    def commit(self, news: Sequence[NodeNews]) -> bool:
        """Enter what was read: starts, attempts, ends; return whether there is news.

        They are entered in the order of their times. A container starts before what it contains and ends after it,
        whatever the precision of these times.
        """
        with self._journal.lock:
            self.clock.note(*(at for each in news for at in (each.node.ran.started, each.node.ran.ended)))
            count = self._journal.size
            for _, enter, each in sorted(self._steps(news), key=itemgetter(0)):
                enter(self._record(each.path), each)
            return self._journal.size > count

    def _steps(self, news: Sequence[NodeNews]) -> Iterator[_Step]:
        """Yield what is to be entered, with its time; of equal times, starts come first."""
        outer = sorted(news, key=lambda each: each.depth)
        begun: dict[str, float] = {}
        ended: dict[str, float] = {}
        for each in outer:
            ran, around = each.node.ran, each.path.rpartition("/")[0]
            begun[each.path] = max(ran.started or ran.ended or math.inf, begun.get(around, 0.0))
            yield begun[each.path], self._start, each
        for each in reversed(outer):
            ran, around = each.node.ran, each.path.rpartition("/")[0]
            end = math.inf
            if ran.phase.is_terminal:
                end = max(ran.ended or 0.0, begun[each.path], ended.get(each.path, 0.0))
                ended[around] = max(end, ended.get(around, 0.0))
            yield end, self._note_attempts, each
            yield end, self._end, each

    def _start(self, record: RemoteRecord, news: NodeNews) -> None:
        node, reader = news.node, news.reader
        if record.remote_values is None:
            read = partial(reader.read_values, node.id)
            entity = record.entity
            if record.path in self._branches:  # whose outputs are those of each case
                cases = (each for path, each in self._entities.items() if path.startswith(f"{record.path}/"))
                entity = next(cases, None)
            record.remote_values = RemoteValues(read, input_types(record.entity), output_types(entity))
        if node.deck and not record.decks:
            record.decks = (RemoteDeck(partial(reader.read_deck, node.id)),)
        if node.cache is not None:
            record.cache = node.cache
        if not has_begun(node.ran) or record.started is not None:
            return
        record.attempts = max(record.attempts, 1)
        self._journal.set_phase(record, Phase.RUNNING, at=self._at(node.ran.started or node.ran.ended))
        gate = find_gate(record.entity) or self._known_gates.get(record.path)
        if gate is not None and not node.ran.phase.is_terminal:
            self.gates[record.path] = gate
            self._journal.emit("gate", record, self._last, text=gate.question)

    def _end(self, record: RemoteRecord, news: NodeNews) -> None:
        node = news.node
        if not node.ran.phase.is_terminal:
            return
        self.gates.pop(record.path, None)
        if record.remote_values is not None:
            record.remote_values.is_final = True
        text = ""
        if node.ran.phase in _FAILED and record.ended is None:
            record.error = remote_failure(record.path, node.ran, record, self._workspace)
            text = record.error.message
        for other in self._not_taken(record, node.ran.phase):
            self._journal.set_phase(other, Phase.SKIPPED, at=self._at(node.ran.ended))
        self._journal.set_phase(record, node.ran.phase, text, at=self._at(node.ran.ended))

    def _not_taken(self, record: RemoteRecord, phase: Phase) -> list[Any]:
        """Return what hasn't started inside a node that has succeeded, or in cases of a branch that weren't taken."""
        records = self._journal.records
        inside = [other for other in records.values() if other.path.startswith(f"{record.path}/")]
        waiting = [other for other in inside if other.started is None]
        if phase is Phase.SUCCEEDED:
            return waiting
        if record.path not in self._branches or record.started is None:
            return []
        at = record.path.count("/") + 2
        cases = {other.path: records["/".join(other.path.split("/")[:at])] for other in waiting}
        return [other for other in waiting if cases[other.path].started is None]

    def _note_attempts(self, record: Record, news: NodeNews) -> None:
        """Enter the attempts at a node: their number, links and errors, and the elements of a map."""
        if not news.attempts:
            return
        *earlier, last = news.attempts
        record.links = last.links
        for attempt in earlier:
            self._retry(record, attempt)
        if last.ran.phase in _FAILED and not news.node.ran.phase.is_terminal:
            self._retry(record, last)
        record.attempts = max(record.attempts, len(news.attempts))
        self._enter_elements(record, news.node, last, news.reader)

    def _retry(self, record: Record, attempt: AttemptFacts) -> None:
        number = attempt.number + 1
        if number > len(record.retries):
            text = str(remote_failure(record.path, attempt.ran, None, self._workspace).exception)
            record.retries += (text,)
            self._journal.emit("attempt", record, self._at(attempt.ran.ended), attempt=number, text=text)

    def _enter_elements(self, record: Record, node: NodeFacts, attempt: AttemptFacts, reader: ExecutionReader) -> None:
        latest: dict[int, AttemptFacts] = {}
        for element in attempt.elements:
            assert element.element is not None
            if element.element not in latest or latest[element.element].number <= element.number:
                latest[element.element] = element
        for index, element in sorted(latest.items()):
            path = f"{record.path}/{index}"
            if path not in self._entities and record.entity is not None and is_map(record.entity):
                self._entities[path] = map_target(record.entity)
            one = self._record(path)
            if one.remote_values is None:
                read = element_values(partial(reader.read_values, node.id), index)
                one.remote_values = RemoteValues(read, input_types(one.entity), output_types(one.entity))
            one.is_timed = False  # a cluster says no times of elements
            one.links = element.links
            one.cache = element.cache or one.cache
            if element.ran.phase is not Phase.QUEUED:
                one.attempts = element.number + 1
            at = self._last if node.ran.ended is None else self._at(node.ran.ended)
            if element.ran.phase is not Phase.QUEUED and one.started is None:
                self._journal.set_phase(one, Phase.RUNNING, at=at)
            if element.ran.phase.is_terminal:
                one.remote_values.is_final = True
                if element.ran.phase in _FAILED and attempt.ran.phase.is_terminal:  # it has the messages of all
                    text = element_message(attempt.ran.message or node.ran.message, index) or _NO_MESSAGE
                    failed = Ran(element.ran.phase, message=text)
                    one.error = remote_failure(path, failed, one, self._workspace)
                text = "" if one.error is None else one.error.message
                self._journal.set_phase(one, element.ran.phase, text, at=at)
        done = sum(element.ran.phase.is_terminal for element in latest.values())
        if latest and (done, len(latest)) != (record.done, record.total):
            record.done, record.total = done, len(latest)
            self._journal.emit("progress", record, self._last, done=done, total=len(latest))

    @property
    def _last(self) -> float | None:
        """The time of the last event, None before the first one."""
        return self._latest or None

    def _at(self, seconds: float | None) -> float:
        """Return a time of the cluster, None for now: not after now, since clocks differ, nor before the last one."""
        self._latest = max(self._latest, time.time() if seconds is None else self.clock.here(seconds))
        return self._latest

    def _record(self, path: str) -> RemoteRecord:
        """Return the record of a node; a new one is added. Under the lock."""
        found = self._journal.records.get(path)
        if found is None:
            found = self._journal.records[path] = RemoteRecord(path, self._journal.weak, self._entities.get(path))
        assert isinstance(found, RemoteRecord)
        return found


def has_begun(ran: Ran) -> bool:
    """Tell whether a node has begun."""
    return ran.phase in (Phase.RUNNING, Phase.SUCCEEDED, *_FAILED) or ran.started is not None


def _innermost(records: Sequence[Any]) -> list[Failure]:
    """Return the failures of nodes without a failed node inside, and not inside of one that has succeeded."""
    good = tuple(f"{record.path}/" for record in records if record.phase is Phase.SUCCEEDED)
    failed = [each.error for each in records if each.error is not None and not each.path.startswith(good)]
    return [f for f in failed if not any(other.path.startswith(f"{f.path}/") for other in failed)]
