"""Looks at an execution on a cluster until it has ended: which requests are made, how often, and what is listed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from flytenb.bridge.cluster.execution_facts import AttemptFacts, NodeFacts, Ran, execution_node
from flytenb.bridge.cluster.execution_reader import ExecutionReader
from flytenb.errors import ClusterError, headline
from flytenb.locks import new_lock
from flytenb.model import Phase
from flytenb.runner.resources import resources
from flytenb.ship.eager_calls import EagerCalls
from flytenb.ship.remote_journal import NodeNews, RemoteJournal

_SHORTEST = 0.2
_LONGEST = 5.0
_SLOWER = 1.5
"""Seconds between two looks, and the factor after a look without news."""
_LONGEST_RETRY = 30.0
_ATTEMPTS_AT_ONCE = 8
"""Running tasks whose attempts one look asks for."""
_REQUESTS_AT_ONCE = 8
_HIDDEN = ("start-node", "end-node")


@dataclass(eq=False)
class _Level:
    """What is listed together: the nodes of an execution, or those directly inside one of its nodes.

    Attributes:
        reader: asks the cluster about the execution.
        parent: the id of the node around them, `""` for the execution itself.
        spec: the id of that node in its workflow; the nodes of a case of a branch have ids that start with it.
        prefix: what their paths start with.
        task: the path of the node of a task that is executed alone, `""` for other nodes.
        since: the time of the latest change that was read.
        is_ending: whether the node around them has ended, so that they are read once more and then no more.
        running: those that haven't ended, by path.
    """

    reader: ExecutionReader
    parent: str = ""
    spec: str = ""
    prefix: str = ""
    task: str = ""
    since: float = 0.0
    is_ending: bool = False
    running: dict[str, NodeFacts] = field(default_factory=dict)

    def read(self) -> list[tuple[str, NodeFacts]]:
        """Return the nodes that have changed, by path."""
        # A change that became visible late is found at the end.
        found = self.reader.read_nodes(self.parent, 0.0 if self.is_ending else self.since)
        self.since = max([self.since, *(node.updated for node in found)])
        shown = [node for node in found if node.spec_id not in _HIDDEN]
        return [(self.task or self.prefix + self._inner_id(node), node) for node in shown]

    def _inner_id(self, node: NodeFacts) -> str:
        return node.spec_id.removeprefix(f"{self.spec}-") if self.spec else node.spec_id


class ExecutionLooks:
    """Looks at one execution, each a job of the shared threads.

    Requests are made without the lock of the journal, and what they found is committed under it. A lost connection is a
    notice of the run, and the next look comes later.

    Args:
        reader: asks the cluster.
        nodes: receives what was read.
        on_end: called with how the execution has ended; if it raises ClusterError, the next look calls it again.
        task: the path of the node of a task that is executed alone, `""` for a workflow.
        prefix: what the paths of the nodes start with.
    """

    def __init__(
        self,
        reader: ExecutionReader,
        nodes: RemoteJournal,
        on_end: Callable[[Ran], None],
        *,
        task: str = "",
        prefix: str = "",
    ) -> None:
        self._reader = reader
        self._nodes = nodes
        self._on_end = on_end
        self._levels = [_Level(reader, prefix=prefix, task=task)]
        self._calls: dict[str, EagerCalls | None] = {}
        self._known: set[str] = set()
        self._grown: set[str] = set()
        self._pause = _SHORTEST
        self._reading = new_lock()  # a cell may read a run that is followed
        self._is_lost = False
        self._is_over = False
        self._is_detached = False

    def begin(self) -> None:
        """Begin to look."""
        resources.workers.submit(self._look)

    def detach(self) -> None:
        """Look no more."""
        self._is_detached = True

    def hurry(self) -> None:
        """Let the next looks come fast: something was done."""
        self._pause = _SHORTEST

    def reader_at(self, path: str) -> ExecutionReader:
        """Return what asks about the execution that a node belongs to."""
        levels = [level for level in self._levels if path.startswith(level.prefix)]
        return max(levels, key=lambda level: len(level.prefix)).reader

    def _look(self) -> None:
        if self._is_detached:
            return
        try:
            is_news = self.read()
        except ClusterError as error:
            self._lose(error)
        except Exception as error:  # an answer that isn't understood; the next one may be
            self._lose(ClusterError(f"can't read the cluster's answer: {headline(error)}"))
        else:
            self._find()
            self._pause = _SHORTEST if is_news else min(self._pause * _SLOWER, _LONGEST)
        if not self._is_over and not self._is_detached:
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

    def read(self) -> bool:
        """Read what has changed, on this thread; return whether anything has.

        Raises:
            ClusterError: with the message of the server.
        """
        with self._reading:
            return False if self._is_over else self._read()

    def _read(self) -> bool:
        ran = self._reader.read_execution().ran
        self._levels[0].is_ending = ran.phase.is_terminal
        is_news = self._nodes.begin(ran)
        news: list[NodeNews] = []
        levels = [*self._levels]
        for level in levels:  # grows
            changed = level.read()
            for path, node in changed:
                level.running[path] = node
                levels += self._open(level, path, node)
            for path in level.running:
                inside, found = self._read_calls(path, level.reader)
                levels += inside
                news += found
            attempts = self._read_attempts(level, [path for path, _ in changed])
            of = dict.fromkeys([*(path for path, _ in changed), *attempts])
            news += [NodeNews(path, level.running[path], level.reader, tuple(attempts.get(path, ()))) for path in of]
            level.running = {path: node for path, node in level.running.items() if not node.ran.phase.is_terminal}
        is_news |= self._nodes.commit(news)
        self._levels = [self._levels[0], *(level for level in levels[1:] if not level.is_ending)]
        if ran.phase.is_terminal:
            self._find()  # before the end of the run, which has no events after it
            self._on_end(ran)
            self._is_over = True
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

    def _read_calls(self, path: str, reader: ExecutionReader) -> tuple[list[_Level], list[NodeNews]]:
        """Return the new calls of a running eager task as levels, and the states of the workflows that it called."""
        if path not in self._calls:
            self._calls[path] = self._nodes.calls_at(path, reader)
        calls = self._calls[path]
        opened, news = [], []
        for call in () if calls is None else calls.read():
            if call.graph is not None:
                self._nodes.grow(path, call.graph, call.entities or {})
                prefix = call.path if call.is_task else f"{call.path}/"
                opened.append(_Level(call.reader, prefix=prefix, task=call.path if call.is_task else ""))
            if not call.is_task:
                news.append(NodeNews(call.path, execution_node(call.facts.ran), call.reader))
            for each in (*self._levels, *opened):
                if each.reader.identifier == call.reader.identifier:
                    each.is_ending = call.facts.ran.phase.is_terminal
        self._levels += opened
        return opened, news

    def _read_attempts(self, level: _Level, changed: Iterable[str]) -> dict[str, list[AttemptFacts]]:
        """Return the attempts of the nodes that have changed, and of some that still run."""
        asked = {}
        first = dict.fromkeys(changed)
        waiting = [path for path in level.running if path not in first]
        for path in [*first, *waiting[:_ATTEMPTS_AT_ONCE]]:
            node = level.running[path]
            is_container = (node.is_parent and not node.is_dynamic) or node.child is not None
            if is_container or node.ran.phase is Phase.QUEUED or path in self._nodes.gates:
                continue
            asked[path] = node.id
            if path in waiting:  # the others come first the next time
                level.running[path] = level.running.pop(path)
        return dict(zip(asked, _at_once(level.reader.read_attempts, [*asked.values()]), strict=True))


def _at_once(ask: Callable[[str], list[AttemptFacts]], nodes: list[str]) -> list[list[AttemptFacts]]:
    """Return what a cluster answers for some nodes, asked several at a time: an execution may have thousands."""
    if len(nodes) <= _REQUESTS_AT_ONCE:
        return [*map(ask, nodes)]
    pool = ThreadPoolExecutor(_REQUESTS_AT_ONCE)
    try:
        return [*pool.map(ask, nodes)]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
