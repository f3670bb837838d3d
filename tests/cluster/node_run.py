"""Propeller's node executor: what every kind of node goes through."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from flyteidl.admin import node_execution_pb2
from flyteidl.core import catalog_pb2, tasks_pb2
from flyteidl.core import execution_pb2 as phases
from flyteidl.core import identifier_pb2 as ids
from flyteidl.core import literals_pb2 as lit
from flyteidl.core import workflow_pb2 as wf

from tests.cluster import catalog
from tests.cluster.bindings import Unresolved, resolve_all
from tests.cluster.compiler import START
from tests.cluster.engine import Engine, Slots
from tests.cluster.failure import SYSTEM, USER, Failure
from tests.cluster.identifiers import Parent, unique_id
from tests.cluster.records import NodeRecord, TaskRecord
from tests.cluster.stop import Stop, Stopped

if TYPE_CHECKING:
    from tests.cluster.workflow_run import WorkflowRun

NodePhase = phases.NodeExecution


class NodeRun:
    """One run of a node.

    Attributes:
        workflow: the run of its workflow.
        node: the node.
        parent: the node that contains it.
        folder: where its data are, with a folder for each attempt.
        input_uri: where its pods find their inputs.
        attempt: the number of the attempt.
        system_failures: the attempts that the system failed.
        stop: what stops the attempt.
        environment: variables of its pods besides those of all pods.
    """

    def __init__(self, workflow: WorkflowRun, node: wf.Node, parent: Parent | None, folder: str, stop: Stop) -> None:
        self.workflow, self.node, self.parent, self.stop = workflow, node, parent, stop
        self.environment: dict[str, str] = {}
        self.unique_id = unique_id(parent, node.id)
        self.folder = f"{folder}/{node.id}/data"
        self.input_uri = f"{self.folder}/inputs.pb"
        self.attempt = 0
        self.system_failures = 0
        self.inputs = lit.LiteralMap()
        identifier = ids.NodeExecutionIdentifier(node_id=self.unique_id, execution_id=self.engine.id)
        message = node_execution_pb2.NodeExecution(id=identifier)
        message.metadata.spec_node_id = node.id
        message.metadata.is_array = node.HasField("array_node")
        message.metadata.is_parent_node = node.workflow_node.HasField("sub_workflow_ref")
        if parent is not None:
            message.metadata.retry_group = str(parent.attempt)
        self.record = NodeRecord(message, "" if parent is None else parent.unique_id)

    @property
    def engine(self) -> Engine:
        return self.workflow.engine

    @property
    def slots(self) -> Slots:
        """The places of which the node takes one while a pod or a launched execution runs."""
        return self.engine.slots

    @property
    def as_parent(self) -> Parent:
        """The node as the parent of what runs within it."""
        return Parent(self.unique_id, self.attempt)

    @property
    def attempt_folder(self) -> str:
        return f"{self.folder}/{self.attempt}"

    def is_interruptible(self, template: tasks_pb2.TaskTemplate) -> bool:
        """Tell whether the attempt's pod may run on a machine that can be taken away; the last one may not.

        The node says it, else its task, else the execution, else the workflow.
        """
        settings = self.engine.settings
        if self.system_failures >= settings.system_retries + 1 - settings.attempts_without_interruption:
            return False
        for metadata in (self.node.metadata, template.metadata):
            if metadata.HasField("interruptible"):
                return bool(metadata.interruptible)
        spec = self.engine.record.message.spec
        if spec.HasField("interruptible"):
            return bool(spec.interruptible.value)
        return bool(self.workflow.workflow.template.metadata_defaults.interruptible)

    # --- phases -------------------------------------------------------------------------------------------------------

    def set_phase(self, phase: int) -> None:
        self.engine.records.set_node_phase(self.record, phase)

    def enter(self, inputs: lit.LiteralMap) -> None:
        """Record the node as queued."""
        self.inputs = inputs
        self.engine.storage.write(self.input_uri, inputs)
        with self.engine.records.changing():
            self.record.inputs = inputs
            if self.node.id != START:
                self.record.message.input_uri = self.input_uri
            self.engine.record.nodes[self.unique_id] = self.record
            self.set_phase(NodePhase.QUEUED)

    def task_changed(self, task: TaskRecord) -> None:
        """Called when a task's execution has another phase."""

    def set_cache(self, status: int, key: catalog_pb2.CatalogMetadata | None = None) -> None:
        with self.engine.records.changing():
            metadata = self.record.message.closure.task_node_metadata
            metadata.cache_status = status
            if key is not None:
                metadata.catalog_key.CopyFrom(key)

    def succeed(self, outputs: lit.LiteralMap, phase: int = NodePhase.SUCCEEDED) -> None:
        uri = f"{self.attempt_folder}/outputs.pb"
        self.engine.storage.write(uri, outputs)
        with self.engine.records.changing():
            self.record.outputs = outputs
            self.record.message.closure.output_uri = uri
            self.set_phase(phase)

    def _fail(self, error: phases.ExecutionError, phase: int = NodePhase.FAILED) -> None:
        with self.engine.records.changing():
            self.record.message.closure.error.CopyFrom(error)
            self.set_phase(phase)

    # --- running ------------------------------------------------------------------------------------------------------

    def run(self, change: Callable[[lit.LiteralMap], None]) -> lit.LiteralMap:
        """Run the node to its end and return its outputs.

        Raises:
            Failure: if it has failed.
            Stopped: if it was stopped.
        """
        self.stop.check()
        try:
            inputs = resolve_all(self.node.inputs, self.workflow.outputs)
        except Unresolved as error:
            self.enter(lit.LiteralMap())
            failure = Failure("BindingResolutionFailure", str(error), SYSTEM)
            self._fail(failure.error)
            raise failure from error
        change(inputs)
        return self.run_with(inputs)

    def run_with(self, inputs: lit.LiteralMap) -> lit.LiteralMap:
        """Run the node with these inputs."""
        self.enter(inputs)
        recovered = self._recovered()
        if recovered is not None:
            self.succeed(recovered, NodePhase.RECOVERED)
            return recovered
        entry = catalog.entry_of(self)
        outputs = None if entry is None else entry.found()
        try:
            if outputs is None:
                outputs = self._run_attempts() if entry is None else self._run_cached(entry)
        except Failure as failure:
            self._fail(failure.error)
            raise
        except Stopped:
            reason = "Workflow aborted" if self.engine.stop.is_set else "another node has failed"
            self._fail(phases.ExecutionError(code="NodeAborted", message=reason), NodePhase.ABORTED)
            raise
        self.succeed(outputs)
        return outputs

    def _run_cached(self, entry: catalog.Entry) -> lit.LiteralMap:
        """Run a cached task, unless another node gives its outputs while it waits for the reservation."""
        with entry.reserved() as given:
            if given is not None:
                return given
            outputs = self._run_attempts()
            entry.keep(outputs)
        return outputs

    def _recovered(self) -> lit.LiteralMap | None:
        """Return what the node gave in the execution that is recovered, None if it hadn't succeeded."""
        if self.engine.recovered is None:
            return None
        before = self.engine.recovered.nodes.get(self.unique_id)
        if before is None or before.message.closure.phase not in (NodePhase.SUCCEEDED, NodePhase.RECOVERED):
            return None
        with self.engine.records.changing():
            self.record.dynamic = before.dynamic
            self.record.message.closure.MergeFrom(_targets(before))
        return before.outputs

    def _run_attempts(self) -> lit.LiteralMap:
        while True:
            try:
                return self._run_attempt()
            except Failure as failure:
                if not failure.is_retryable:
                    raise
                if failure.error.kind == SYSTEM:
                    current, most = self.system_failures, self.engine.settings.system_retries
                    self.system_failures += 1
                else:
                    current = self.attempt + 1 - self.system_failures
                    most = self.node.metadata.retries.retries + 1
                if current >= most:
                    kind = phases.ExecutionError.ErrorKind.Name(failure.error.kind)
                    words = f"[{current}/{most}] currentAttempt done. Last Error: {kind}::{failure.error.message}"
                    raise Failure(f"RetriesExhausted|{failure.error.code}", words, USER) from failure
                self.attempt += 1

    def _run_attempt(self) -> lit.LiteralMap:
        kind = self.node.WhichOneof("target")
        timeout = self.node.metadata.timeout.ToTimedelta()
        outer, self.stop = self.stop, Stop(self.stop)
        expired = threading.Event()

        def expire(stop: Stop = self.stop) -> None:
            expired.set()
            stop.set()

        timer = threading.Timer(timeout.total_seconds(), expire)
        if timeout and kind != "gate_node":
            timer.start()
        try:
            return self.engine.handlers[kind or ""](self)
        except Stopped:
            if outer.is_set or not expired.is_set():
                raise
            words = f"task execution timeout [{go_duration(timeout)}] expired"
            raise Failure("TimeoutExpired", words, USER, is_retryable=True) from None
        finally:
            timer.cancel()
            self.stop = outer


def go_duration(duration: timedelta) -> str:
    """Return a duration as Go prints it, to the millisecond."""
    hours, rest = divmod(duration.total_seconds(), 3600)
    minutes, seconds = divmod(rest, 60)
    shown = f"{round(seconds, 3):g}s"
    if hours:
        return f"{int(hours)}h{int(minutes)}m{shown}"
    return f"{int(minutes)}m{shown}" if minutes else shown


def _targets(record: NodeRecord) -> node_execution_pb2.NodeExecutionClosure:
    """Return what a node launched and what the cache said."""
    made = node_execution_pb2.NodeExecutionClosure()
    closure = record.message.closure
    for name in ("workflow_node_metadata", "task_node_metadata"):
        if closure.HasField(name):
            getattr(made, name).CopyFrom(getattr(closure, name))
    return made
