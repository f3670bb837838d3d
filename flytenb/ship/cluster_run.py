"""A run on a cluster, shown like a local one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from flytenb.bridge.cluster.execution_reader import ExecutionReader
from flytenb.bridge.cluster.remote_values import RemoteValues
from flytenb.bridge.context import Workspace
from flytenb.bridge.crossing import CrossingValue, packer
from flytenb.bridge.entities.gate import GateFacts
from flytenb.bridge.execution.files import Handouts, fetch_files
from flytenb.bridge.workflow.reading_cache import Reading
from flytenb.errors import FlytenbError
from flytenb.model import Graph
from flytenb.runner.journal import Listener
from flytenb.runner.run import Run
from flytenb.runner.run_inputs import Root
from flytenb.runner.settings import Settings
from flytenb.ship.execution_watch import ExecutionWatch
from flytenb.ship.remote_record import RemoteRecord


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
        known_gates: the gates, by path, of which the notebook may have no entity.
        sent: when this process has sent the execution, None if it hasn't.
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
        known_gates: Mapping[str, GateFacts] = MappingProxyType({}),
        sent: float | None = None,
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
        self._values = values = RemoteValues(reader.read_values, root.types, root.outputs)
        self._inputs = values.inputs() if inputs is None else inputs
        self._watch = ExecutionWatch(
            reader,
            lambda: self.graph,
            entities,
            workspace,
            is_task=is_task,
            known_gates=known_gates,
            sent=sent,
            listeners=listeners,
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

    @property
    def _workspace(self) -> Workspace:
        """The contexts in which values are read."""
        return self._watch.workspace

    def _fetch(self, value: CrossingValue, declared: Any) -> Any:
        """Return a value with files on this machine, which may be changed."""
        return fetch_files(self._handouts.give(value.native(), declared))

    def _recorded(self, path: str = "") -> RemoteValues:
        """Return the values of a node that has begun, or of the execution, as the cluster has them."""
        if not path:
            return self._values
        record = self._watch.journal.records[path]
        assert isinstance(record, RemoteRecord)
        assert record.remote_values is not None
        return record.remote_values

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
        if declared is None:
            hint = "run the cells that define the workflow, and attach the execution again"
            raise FlytenbError(f"the type of gate {at!r} isn't known here", hint=hint)
        with run.workspace.entered():
            literal = packer(declared)(answer).literal()
        run.answer(at, gate.name, literal)
