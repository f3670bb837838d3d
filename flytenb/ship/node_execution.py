"""One node of a local run as an execution on a cluster: inputs there, phases and outputs back."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flytenb.bridge.cluster.connection import Connection
from flytenb.bridge.cluster.execution_facts import ExecutionId, Ran
from flytenb.bridge.cluster.execution_reader import ExecutionReader
from flytenb.bridge.cluster.launching import execute, new_name
from flytenb.bridge.cluster.node_entities import entities_by_path
from flytenb.bridge.cluster.remote_values import fetch_outputs, pack_inputs
from flytenb.bridge.context import AS_POD, Workspace
from flytenb.bridge.crossing import CrossingValue, packer
from flytenb.bridge.entities.gate import GateFacts
from flytenb.bridge.entities.interface import is_map, plan_inputs
from flytenb.bridge.entities.kind import is_reference
from flytenb.bridge.stopping import Attempt
from flytenb.errors import ClusterError
from flytenb.runner.cluster_step import ClusterStep
from flytenb.runner.journal import complain
from flytenb.runner.resources import resources
from flytenb.runner.run import read_graph_once
from flytenb.runner.step import RunControl
from flytenb.ship.execution_looks import ExecutionLooks
from flytenb.ship.node_journal import NodeJournal

_LOST = ("UNAVAILABLE", "DEADLINE_EXCEEDED")
"""The codes of requests that are made again."""
_NOTHING_TO_ABORT = ("NOT_FOUND", "FAILED_PRECONDITION")
"""The codes of an abort that comes before the execution is created, which is then aborted later, or after its end."""
_SHORTEST, _LONGEST = 0.5, 30.0
"""Seconds between two attempts to start an execution."""
_ABORT_PAUSES = (0.5, 2.0, 0.0)
"""Seconds after each attempt to abort an execution; flytekit itself makes several requests each time."""


@dataclass(frozen=True)
class RegisteredEntity:
    """An entity of the notebook that is registered on a cluster, as what nodes of a run are executed.

    Attributes:
        connection: the cluster.
        workspace: the contexts in which files cross.
        entity: the notebook's entity.
        kind: `task`, `workflow` or `launch_plan`.
        name: its name on the cluster.
        version: its version.
    """

    connection: Connection
    workspace: Workspace
    entity: Any
    kind: str
    name: str
    version: str

    @property
    def place(self) -> str:
        """The cluster, the project and the domain."""
        return f"{self.connection.project}/{self.connection.domain} at {self.connection.endpoint}"

    @property
    def is_node(self) -> bool:
        """Whether its execution has one node; a map is executed as a workflow of its own."""
        return self.kind == "task" or is_map(self.entity)

    @property
    def has_inside(self) -> bool:
        """Whether the notebook knows the nodes inside of it."""
        return not self.is_node and not is_reference(self.entity)

    def prepare(
        self, run: RunControl, step: ClusterStep, attempt: Attempt, inputs: Mapping[str, CrossingValue]
    ) -> NodeExecution:
        """Return an execution that hasn't started."""
        return NodeExecution(self, run, step, attempt, inputs)


class NodeExecution:
    """The execution of one node.

    Args:
        registered: what is executed.
        run: the run.
        step: the step of the node.
        attempt: the attempt at it.
        inputs: the inputs, which are sent.
    """

    def __init__(
        self,
        registered: RegisteredEntity,
        run: RunControl,
        step: ClusterStep,
        attempt: Attempt,
        inputs: Mapping[str, CrossingValue],
    ) -> None:
        fixed, _ = plan_inputs(registered.entity)
        self._registered = registered
        self._run = run
        self._step = step
        self._attempt = attempt
        self._inputs = {name: value for name, value in inputs.items() if name not in fixed}
        is_task = registered.is_node
        path = step.path
        entities = entities_by_path(registered.entity) if registered.has_inside else {}
        inside = {f"{path}/{inner}": each for inner, each in entities.items()}
        self._nodes = NodeJournal(
            run.journal,
            run.workspace,
            inside,
            step.record,
            is_task=is_task,
            gates=step.gates,
            send=self._answer,
        )
        identifier = ExecutionId(registered.connection.project, registered.connection.domain, new_name())
        self._reader = ExecutionReader(registered.connection, identifier)
        self._looks = ExecutionLooks(
            self._reader, self._nodes, self._end, task=path if is_task else "", prefix="" if is_task else f"{path}/"
        )
        self._is_sent = False
        self._pause = _SHORTEST
        self._is_lost = False

    def start(self) -> None:
        """Start it on another thread. Under the lock of the run."""
        resources.workers.submit(self.begin)

    def begin(self) -> None:
        """Upload the inputs and create the execution; if the cluster doesn't answer, try again later."""
        if self._step.attempt is not self._attempt:
            return
        try:
            self._send()
        except ClusterError as error:
            if self._step.attempt is not self._attempt:
                self._abort_soon()  # it may have been created all the same
                return
            if error.code not in _LOST:
                self._run.fail(self._step, self._attempt, error)
                return
            if not self._is_lost:
                self._is_lost = True
                self._nodes.notice(f"{error.message}; trying again")
            resources.clock.call_later(self._pause, lambda: resources.workers.submit(self.begin))
            self._pause = min(2 * self._pause, _LONGEST)
        except Exception as error:
            self._run.fail(self._step, self._attempt, error)

    def _send(self) -> None:
        target = self._registered
        graph = read_graph_once(target.entity).get() if target.has_inside else None
        sent = pack_inputs(target.connection, target.workspace, self._inputs)
        with self._run.lock:
            if self._step.attempt is not self._attempt:
                return
            self._is_sent = True  # it may exist even if there is no answer
            self._nodes.clock.sent = self._nodes.clock.sent or time.time()
        execute(target.connection, target.kind, target.name, target.version, sent, self._reader.identifier.name)
        if self._is_lost:
            self._nodes.notice("")
        with self._run.lock:
            if self._step.attempt is not self._attempt:
                self._abort_soon()  # an earlier request may have come too early
                return
            self._nodes.place(target.place, (("execution", self._reader.console_address),))
            if graph is not None:
                self._nodes.plan(graph)
        self._looks.begin()

    def _end(self, ran: Ran) -> None:
        """End the step as the execution has ended.

        Raises:
            ClusterError: if the outputs can't be fetched now.
        """
        step, run, attempt = self._step, self._run, self._attempt
        failure = self._nodes.end(ran, self._reader.identifier.name)
        if failure is not None:
            run.fail_with(step, attempt, failure)
            return
        types = step.use.entity.python_interface.outputs
        try:
            found = fetch_outputs(self._reader, self._registered.workspace, types)
            with run.workspace.entered(AS_POD):
                outputs = {name: packer(types[name], strict=True)(value) for name, value in found.items()}
        except ClusterError as error:
            if error.code in _LOST:
                raise
            run.fail(step, attempt, error)
        except Exception as error:
            run.fail(step, attempt, error)
        else:
            step.put_outputs(outputs, self._run)
            run.complete(step, attempt)

    def _answer(self, path: str, gate: GateFacts, answer: Any) -> None:
        """Answer a gate inside of the node.

        Raises:
            ClusterError: with the message of the server.
            Exception: the type engine's error for a value of the wrong type.
        """
        declared = bool if gate.kind == "approve" else next(iter(gate.outputs.values()))
        with self._run.workspace.entered():
            literal = packer(declared)(answer).literal()
        self._looks.reader_at(path).set_signal(gate.name, literal)
        self._looks.hurry()

    # --- abort ---------------------------------------------------------------------------------------------------

    def terminate(self) -> None:
        """Abort the execution and look at it no more. Under the lock of the run: it doesn't block."""
        self._looks.detach()
        self._nodes.abort()
        if self._is_sent:
            self._abort_soon()

    def _abort_soon(self) -> None:
        """Abort the execution on a thread that the end of the process waits for."""
        threading.Thread(target=self._abort, name="flytenb-abort").start()

    def _abort(self) -> None:
        for pause in _ABORT_PAUSES:
            try:
                self._reader.terminate("aborted from a notebook")
            except ClusterError as error:
                if error.code in _NOTHING_TO_ABORT:
                    return
                if not pause or error.code not in _LOST:
                    complain(f"{error.message}; {self._reader.console_address}")
                    return
                time.sleep(pause)
            else:
                return
