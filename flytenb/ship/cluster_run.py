"""A run on a cluster, shown like a local one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flytenb.bridge.cluster.execution_reader import ExecutionReader
from flytenb.bridge.cluster.remote_values import RemoteValues
from flytenb.bridge.context import Workspace
from flytenb.bridge.crossing import CrossingValue, packer
from flytenb.bridge.execution.files import Handouts, fetch_files
from flytenb.bridge.workflow.reading_cache import Reading
from flytenb.errors import FlytenbError
from flytenb.model import Graph
from flytenb.runner.journal import Listener
from flytenb.runner.run import Run
from flytenb.runner.run_inputs import Root
from flytenb.runner.settings import Settings
from flytenb.ship.execution_watch import ExecutionWatch


class ClusterRun(Run):
    """One execution on a cluster. Created by `flytenb.launch` and `flytenb.attach`.

    It is a `Run`: nodes, values, errors and gates are read in the same way, and the values are fetched when they are
    asked for. The execution goes on without it: `flytenb.attach(name)` shows it again after the kernel has ended.

    Args:
        reader: asks the cluster.
        root: the name and the types of what is executed.
        graph: its graph.
        entities: the notebook's entities by the paths of their nodes.
        workspace: the contexts in which values are read.
        entity: the notebook's entity, None if there is none.
        is_task: whether a task alone is executed.
        inputs: the inputs, if they are known; they are fetched otherwise.
        listeners: receive the events.
    """

    def __init__(
        self,
        reader: ExecutionReader,
        root: Root,
        graph: Graph,
        entities: Mapping[str, Any],
        workspace: Workspace,
        *,
        entity: Any = None,
        is_task: bool = False,
        inputs: dict[str, CrossingValue] | None = None,
        listeners: Iterable[Listener] = (),
    ) -> None:
        self.entity = entity
        self.settings = Settings()
        self._viewer: Callable[[Run], None] | None = None
        self._grown: Graph | None = None
        self._merged = 0
        self._handouts = Handouts()
        self._root = root
        self._reader = reader
        self._static_graph = Reading(lambda: graph)
        values = RemoteValues(reader.read_values, root.types, root.outputs)
        self._inputs = values.inputs() if inputs is None else inputs
        self._watch = ExecutionWatch(
            reader, lambda: self.graph, entities, workspace, is_task=is_task, listeners=listeners
        )
        self._scheduler = self._watch
        self._plan = _Outputs(values)
        self._gates = _Signals(self._watch)
        self._start = self._watch.begin

    @property
    def execution(self) -> str:
        """The execution, as `flytenb.attach` takes it: project, domain and name."""
        return str(self._reader.identifier)

    @property
    def url(self) -> str:
        """The address of the execution in the console of the cluster."""
        return self._reader.console_address

    def read(self) -> ClusterRun:
        """Read the present state of the execution, without following it."""
        self._watch.read()
        return self

    def fetch(self, of: Any) -> dict[str, Any]:
        """Return the inputs of a node or of the run, with files on this machine."""
        inputs = of.inputs
        with self._watch.workspace.entered():
            return {name: fetch_files(value) for name, value in inputs.items()}

    def _detach(self) -> None:
        """Look at the execution no more; it goes on."""
        self._watch.detach()

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}, execution {self.execution}>"


class _Outputs:
    def __init__(self, values: RemoteValues) -> None:
        self._values = values

    @property
    def outputs(self) -> dict[str, CrossingValue | None]:
        """The outputs, fetched."""
        self._values.is_final = True
        return {**self._values.outputs()}


class _Signals:
    """The gates of an execution."""

    def __init__(self, watch: ExecutionWatch) -> None:
        self._watch = watch

    @property
    def questions(self) -> dict[str, str]:
        """The questions of the gates that wait, by path."""
        return {path: gate.question for path, gate in [*self._watch.gates.items()]}

    def answer(self, run: ExecutionWatch, path: str, answer: Any) -> None:
        """Send an answer to the cluster; the node ends when the cluster reports it.

        Raises:
            FlytenbError: if no gate waits at the path.
            ClusterError: with the message of the server.
            Exception: the type engine's error for a value of the wrong type.
        """
        waiting = self._watch.gates
        named = {gate.name: at for at, gate in [*waiting.items()]}
        at = path if path in waiting else named.get(path, "")
        if at not in waiting:
            known = ", ".join(map(repr, waiting)) or "none"
            raise FlytenbError(f"no gate waits at {path!r}", hint=f"waiting: {known}")
        gate = waiting[at]
        declared = bool if gate.kind == "approve" else next(iter(gate.outputs.values()))
        with run.workspace.entered():
            literal = packer(declared)(answer).literal()
        run.answer(at, gate.name, literal)
