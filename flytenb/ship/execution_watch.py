"""Watch of an execution: what the cluster lists, as the events of a run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from flytenb.bridge.cluster.execution_facts import Ran
from flytenb.bridge.cluster.execution_reader import ExecutionReader
from flytenb.bridge.context import Workspace
from flytenb.bridge.entities.gate import GateFacts
from flytenb.errors import ClusterError
from flytenb.model import Graph
from flytenb.runner.ending import Ending
from flytenb.runner.journal import Journal, Listener
from flytenb.ship.execution_looks import ExecutionLooks
from flytenb.ship.remote_journal import RemoteJournal, RemoteOutcome


class _WatchEnding(Ending):
    def _release(self) -> None:
        """Do nothing: nothing of this process was taken."""


class ExecutionWatch:
    """Looks at an execution until it ends; takes the place of a local run's scheduler.

    Args:
        reader: asks the cluster.
        graph: returns the graph of the run with what was added.
        entities: the notebook's entities by the paths of their nodes.
        known_gates: the gates, by path, of which the notebook may have no entity.
        workspace: the contexts in which values are read.
        is_task: whether a task alone is executed.
        sent: when this process has sent the execution, None if it hasn't.
        listeners: receive the events.

    Attributes:
        journal: the records and events of the run.
        workspace: the contexts in which values are read.
        ending: the end of the run.
        outcomes: the failures.
        process: the id of this process.
    """

    def __init__(
        self,
        reader: ExecutionReader,
        graph: Callable[[], Graph],
        entities: Mapping[str, Any],
        workspace: Workspace,
        *,
        is_task: bool,
        known_gates: Mapping[str, GateFacts] = MappingProxyType({}),
        sent: float | None = None,
        listeners: Iterable[Listener] = (),
    ) -> None:
        self.journal = Journal(listeners)
        self.workspace = workspace
        self.ending = _WatchEnding(self.journal, workspace)
        self.outcomes = RemoteOutcome()
        self.process = os.getpid()
        self._reader = reader
        self._graph = graph
        self._nodes = RemoteJournal(self.journal, self.outcomes, workspace, entities)
        self._nodes.add_gates(known_gates)
        self._nodes.clock.sent = sent
        self._looks = ExecutionLooks(reader, self._nodes, self._end, task="n0" if is_task else "")

    def begin(self) -> None:
        """Begin to look."""
        self._nodes.plan(self._graph())
        self._looks.begin()

    def read(self) -> None:
        """Look once, on this thread.

        Raises:
            ClusterError: with the message of the server.
        """
        self._nodes.plan(self._graph())
        self._looks.read()

    def detach(self) -> None:
        """Look no more; the execution goes on."""
        self._looks.detach()

    def cancel(self) -> None:
        """Abort the execution; its nodes end as the cluster reports them.

        Raises:
            ClusterError: if the cluster refuses it.
        """
        if self.ending.finished.is_set():
            return
        try:
            self._reader.terminate("aborted from a notebook")
        except ClusterError as error:
            self._nodes.notice(error.message)  # the button of the live view has no other place for it
            raise
        self._looks.hurry()

    def _end(self, ran: Ran) -> None:
        self._nodes.finish(ran)
        self.ending.wind_up(None)

    # --- gates -------------------------------------------------------------------------------------------------------

    @property
    def gates(self) -> dict[str, GateFacts]:
        """The gates that wait, by path."""
        return self._nodes.gates

    def answer(self, path: str, name: str, literal: Any) -> None:
        """Answer a gate.

        Raises:
            ClusterError: with the message of the server.
        """
        self._looks.reader_at(path).set_signal(name, literal)
        self._looks.hurry()
