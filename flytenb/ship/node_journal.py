"""Facts about an execution that is one node of a local run, entered in the journal of the run."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from flytenb.bridge.cluster.execution_facts import Links, Ran
from flytenb.bridge.context import Workspace
from flytenb.bridge.entities.gate import GateFacts
from flytenb.bridge.entities.interface import short_name
from flytenb.bridge.entities.kind import is_eager
from flytenb.errors import headline
from flytenb.model import Graph, Phase
from flytenb.runner.failure import Failure
from flytenb.runner.gate import GateElsewhere, Gates
from flytenb.runner.journal import Journal
from flytenb.runner.record import Record
from flytenb.runner.resources import resources
from flytenb.ship.remote_journal import NodeNews, RemoteJournal, RemoteOutcome, has_begun
from flytenb.ship.remote_record import RemoteDeck, remote_failure


class NodeJournal(RemoteJournal):
    """Enters what a cluster says about one node, whose end is the scheduler's, and about the nodes inside of it.

    Args:
        journal: the journal of the run.
        workspace: the contexts in which values are read.
        entities: the notebook's entities by the paths of the nodes inside.
        record: the node.
        is_task: whether the node is a task that is executed alone.
        gates: the gates of the run, to which those inside are added.
        send: sends an answer to the gate at a path.
    """

    def __init__(
        self,
        journal: Journal,
        workspace: Workspace,
        entities: Mapping[str, Any],
        record: Record,
        *,
        is_task: bool,
        gates: Gates,
        send: Callable[[str, GateFacts, Any], None],
    ) -> None:
        super().__init__(journal, RemoteOutcome(), workspace, entities)
        self._node = record
        self._is_task = is_task
        self._run_gates, self._send = gates, send
        self._links: Links = ()
        self._ran: Ran | None = None
        if record.entity is not None and is_eager(record.entity):
            self._eager[record.path] = short_name(record.entity)

    def place(self, place: str, links: Links) -> None:
        """Note where the node is executed, and the addresses of its execution."""
        with self._journal.lock:
            self._node.place, self._node.links, self._links = place, links, links
            self._journal.emit("place", self._node, text=place)

    def plan(self, graph: Graph) -> None:
        """Add the nodes of a graph inside of the node."""
        with self._journal.lock:
            self._add(graph, f"{self._node.path}/")

    def begin(self, ran: Ran) -> bool:
        """Start the node, unless it is a task: that one starts later than its execution."""
        with self._journal.lock:
            self._note_clock(ran)
            return not self._is_task and ran.phase is not Phase.QUEUED and self._begin(ran)

    def commit(self, news: Sequence[NodeNews]) -> bool:
        """Enter what was read; return whether there is news."""
        count = self._journal.size
        with self._journal.lock:
            if self._node.ended is not None:  # it was aborted since this was read
                return False
            for each in news:
                if each.path == self._node.path:
                    self._enter(each)
            super().commit([each for each in news if each.path != self._node.path])
            self._show_gates()
            return self._journal.size > count

    def end(self, ran: Ran, name: str) -> Failure | None:
        """End the nodes inside; return the failure, None if the execution has succeeded.

        Args:
            ran: how the execution has ended.
            name: its name.
        """
        with self._journal.lock:
            failures = self._end_rest(self._inside, ran)
            self.gates.clear()
            self._show_gates()
            if ran.phase is Phase.SUCCEEDED:
                return None
            self._node.retries = self._node.retries[: max(self._node.attempts - 1, 0)]  # the last one is the failure
            own = self._ran if self._ran is not None and self._ran.phase in (Phase.FAILED, Phase.TIMED_OUT) else ran
            if own.phase is Phase.ABORTED:
                own = Ran(Phase.FAILED, own.started, own.ended, f"execution {name} was aborted: {own.message}")
            return failures[0] if failures else remote_failure(self._node.path, own, self._node, self._workspace)

    def abort(self) -> None:
        """End the nodes inside, since the node is aborted. Under the lock."""
        self._end_rest(self._inside, Ran(Phase.ABORTED))
        self.gates.clear()
        self._show_gates()

    def _show_gates(self) -> None:
        """Add the gates that wait now to those of the run; one with an answer that was given before is answered."""
        shown = self._run_gates.elsewhere
        for path in [path for path in shown if path.startswith(f"{self._node.path}/") and path not in self.gates]:
            del shown[path]
        for path, facts in self.gates.items():
            if path in shown:
                continue
            shown[path] = gate = GateElsewhere(facts, partial(self._send, path, facts))
            given = [self._run_gates.answers[key] for key in (path, facts.name) if key in self._run_gates.answers]
            if given:
                resources.workers.submit(partial(self._answer, gate, given[0]))

    def _answer(self, gate: GateElsewhere, answer: Any) -> None:
        try:
            gate.send(answer)
        except Exception as error:  # it waits on
            self.notice(headline(error))

    @property
    def _inside(self) -> list[Record]:
        start = f"{self._node.path}/"
        return [record for path, record in self._journal.records.items() if path.startswith(start)]

    def _begin(self, ran: Ran) -> bool:
        if self._node.started is not None or self._node.ended is not None:
            return False
        self._node.attempts = max(self._node.attempts, 1)
        self._journal.set_phase(self._node, Phase.RUNNING, at=self._here(ran.started or ran.ended))
        return True

    def _here(self, seconds: float | None) -> float:
        """Return a time of the cluster by the clock of this machine, None for now."""
        return time.time() if seconds is None else self.clock.here(seconds)

    def _enter(self, news: NodeNews) -> None:
        node, facts = self._node, news.node
        self._ran = facts.ran
        if facts.cache is not None:
            node.cache = facts.cache
        if facts.deck and not node.decks:
            node.decks = (RemoteDeck(partial(news.reader.read_deck, facts.id)),)
        if has_begun(facts.ran):
            self._begin(facts.ran)
        if news.attempts:
            self._note_attempts(node, news)
            node.links = (*self._links, *node.links)
