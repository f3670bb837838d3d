"""Watch of an execution: what the cluster lists, as the events of a run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flytenb.bridge.cluster.execution_facts import AttemptFacts, NodeFacts
from flytenb.bridge.cluster.execution_reader import ExecutionReader
from flytenb.bridge.context import Workspace
from flytenb.bridge.entities.gate import GateFacts
from flytenb.errors import ClusterError, headline
from flytenb.model import Graph, Phase
from flytenb.runner.ending import Ending
from flytenb.runner.journal import Journal, Listener
from flytenb.runner.resources import resources
from flytenb.ship.remote_journal import NodeNews, RemoteJournal, RemoteOutcome

_SHORTEST = 0.2
_LONGEST = 5.0
_SLOWER = 1.5
"""Seconds between two looks, and the factor after a look without news."""
_LONGEST_RETRY = 30.0
_ATTEMPTS_AT_ONCE = 8
"""Running tasks whose attempts one look asks for."""
_HIDDEN = ("start-node", "end-node")


class _WatchEnding(Ending):
    def _release(self) -> None:
        """Do nothing: nothing of this process was taken."""


@dataclass(eq=False)
class _Level:
    """What is listed together: the nodes of an execution, or those directly inside one of its nodes.

    Attributes:
        reader: asks the cluster about the execution.
        parent: the id of the node around them, `""` for the execution itself.
        spec: the id of that node in its workflow; the nodes of a case of a branch have ids that start with it.
        prefix: what their paths start with.
        since: the time of the latest change that was read.
        is_ending: whether the node around them has ended, so that they are read once more and then no more.
        running: those that haven't ended, by path.
    """

    reader: ExecutionReader
    parent: str = ""
    spec: str = ""
    prefix: str = ""
    since: float = 0.0
    is_ending: bool = False
    running: dict[str, NodeFacts] = field(default_factory=dict)

    def read(self, *, is_task: bool) -> list[tuple[str, NodeFacts]]:
        """Return the nodes that have changed, by path."""
        # A change that became visible late is found at the end.
        found = self.reader.read_nodes(self.parent, 0.0 if self.is_ending else self.since)
        self.since = max([self.since, *(node.updated for node in found)])
        shown = [node for node in found if node.spec_id not in _HIDDEN]
        return [(self.prefix + ("n0" if is_task else self._inner_id(node)), node) for node in shown]

    def _inner_id(self, node: NodeFacts) -> str:
        return node.spec_id.removeprefix(f"{self.spec}-") if self.spec else node.spec_id


class ExecutionWatch:
    """Looks at an execution until it ends; takes the place of a local run's scheduler.

    Each look is a job of the shared threads; requests are made without the lock, and what they found is committed under
    it. A lost connection is a notice of the run, and the next look comes later.

    Args:
        reader: asks the cluster.
        graph: returns the graph of the run with what was added.
        entities: the notebook's entities by the paths of their nodes.
        workspace: the contexts in which values are read.
        is_task: whether a task alone is executed.
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
        self._is_task = is_task
        self._levels = [_Level(reader)]
        self._known: set[str] = set()
        self._grown: set[str] = set()
        self._pause = _SHORTEST
        self._is_lost = False
        self._is_detached = False

    # --- looks -------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin to look."""
        self._nodes.plan(self._graph())
        resources.workers.submit(self._look)

    def read(self) -> None:
        """Look once, on this thread.

        Raises:
            ClusterError: in the words of the server.
        """
        self._nodes.plan(self._graph())
        self._look_once()

    def detach(self) -> None:
        """Look no more; the execution goes on."""
        self._is_detached = True

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
        self.hurry()

    def hurry(self) -> None:
        """Let the next looks come fast: something was done."""
        self._pause = _SHORTEST

    def _look(self) -> None:
        if self._is_detached:
            return
        try:
            is_news = self._look_once()
        except ClusterError as error:
            self._lose(error)
        except Exception as error:  # an answer that isn't understood; the next one may be
            self._lose(ClusterError(f"can't read the cluster's answer: {headline(error)}"))
        else:
            self._find()
            self._pause = _SHORTEST if is_news else min(self._pause * _SLOWER, _LONGEST)
        if not self.ending.finished.is_set() and not self._is_detached:
            resources.clock.call_later(self._pause, lambda: resources.workers.submit(self._look))

    def _lose(self, error: ClusterError) -> None:
        self._pause = min(self._pause * 2, _LONGEST_RETRY)
        if not self._is_lost:
            self._is_lost = True
            self._nodes.notice(f"{error.message}; trying again")

    def _find(self) -> None:
        if self._is_lost:
            self._is_lost = False
            self._nodes.notice("")

    def _look_once(self) -> bool:
        """Read what has changed; return whether anything has."""
        ran = self._reader.read_execution().ran
        self._levels[0].is_ending = ran.phase.is_terminal
        is_news = self._nodes.begin(ran)
        news: list[NodeNews] = []
        levels = [*self._levels]
        for level in levels:  # grows
            changed = level.read(is_task=self._is_task and not level.prefix)
            for path, node in changed:
                level.running[path] = node
                levels += self._open(level, path, node)
            attempts = self._read_attempts(level, [path for path, _ in changed])
            of = dict.fromkeys([*(path for path, _ in changed), *attempts])
            news += [NodeNews(path, level.running[path], level.reader, tuple(attempts.get(path, ()))) for path in of]
            level.running = {path: node for path, node in level.running.items() if not node.ran.phase.is_terminal}
        is_news |= self._nodes.commit(news)
        self._levels = [self._levels[0], *(level for level in levels[1:] if not level.is_ending)]
        if ran.phase.is_terminal:
            self._nodes.finish(ran)
            self.ending.wind_up(None)
        return is_news

    def _open(self, level: _Level, path: str, node: NodeFacts) -> list[_Level]:
        """Return what is inside a node, if it is news, and read the graph that a dynamic one has made."""
        if node.is_dynamic and path not in self._grown:
            inside = level.reader.read_inside(node.id)
            if inside is not None:
                self._grown.add(path)
                self._nodes.spawn(path, inside)
        opened = []
        has_begun = node.ran.phase is not Phase.QUEUED  # what is inside begins later
        if has_begun and path not in self._known and (node.is_parent or node.child is not None):
            self._known.add(path)
            opened = [_Level(level.reader, node.id, node.spec_id, f"{path}/")]
            if node.child is not None:
                opened = [_Level(ExecutionReader(level.reader.connection, node.child), prefix=f"{path}/")]
            self._levels += opened
        for each in self._levels:
            if each.prefix == f"{path}/":
                each.is_ending = node.ran.phase.is_terminal
        return opened

    def _read_attempts(self, level: _Level, changed: Iterable[str]) -> dict[str, list[AttemptFacts]]:
        """Return the attempts of the nodes that have changed, and of some that still run."""
        found = {}
        first = dict.fromkeys(changed)
        waiting = [path for path in level.running if path not in first]
        for path in [*first, *waiting[:_ATTEMPTS_AT_ONCE]]:
            node = level.running[path]
            is_container = (node.is_parent and not node.is_dynamic) or node.child is not None
            if is_container or node.ran.phase is Phase.QUEUED or path in self.gates:
                continue
            found[path] = level.reader.read_attempts(node.id)
            if path in waiting:  # the others come first the next time
                level.running[path] = level.running.pop(path)
        return found

    # --- gates -------------------------------------------------------------------------------------------------------

    @property
    def gates(self) -> dict[str, GateFacts]:
        """The gates that wait, by path."""
        return self._nodes.gates

    def answer(self, path: str, name: str, literal: Any) -> None:
        """Answer a gate.

        Raises:
            ClusterError: in the words of the server.
        """
        levels = [level for level in self._levels if path.startswith(level.prefix)]
        max(levels, key=lambda level: len(level.prefix)).reader.set_signal(name, literal)
        self.hurry()
