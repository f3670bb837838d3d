"""Map tasks: one task execution, whose external resources are the elements."""

from __future__ import annotations

import math
import queue
import threading
from typing import Any

from flyteidl.admin import task_execution_pb2
from flyteidl.core import execution_pb2 as phases
from flyteidl.core import identifier_pb2 as ids
from flyteidl.core import literals_pb2 as lit
from flyteidl.core import workflow_pb2 as wf

from tests.cluster.bindings import NONE
from tests.cluster.engine import Slots
from tests.cluster.failure import Failure
from tests.cluster.identifiers import key_of
from tests.cluster.node_run import NodePhase, NodeRun
from tests.cluster.records import TaskRecord, copied
from tests.cluster.stop import Stop, Stopped

TaskPhase = phases.TaskExecution
_INDEX = "FLYTE_K8S_ARRAY_INDEX"


def run_array_node(run: NodeRun) -> lit.LiteralMap:
    array = run.node.array_node
    size = _size(array, run.inputs)
    least = math.ceil(array.min_success_ratio * size) if array.HasField("min_success_ratio") else size
    if array.HasField("min_successes"):
        least = array.min_successes
    return _ArrayRun(run, size, least).run()


def _size(array: wf.ArrayNode, inputs: lit.LiteralMap) -> int:
    lists = {n: v for n, v in inputs.literals.items() if v.HasField("collection") and n not in array.bound_inputs}
    sizes = {len(each.collection.literals) for each in lists.values()}
    if len(sizes) > 1:
        first, second = sorted(sizes)[:2]
        words = f"input arrays have different lengths: expecting '{first}' found '{second}'"
        raise Failure("InvalidArrayLength", words)
    if not sizes and len(array.bound_inputs) != len(inputs.literals):
        raise Failure("InvalidArrayLength", "no input array provided")
    return sizes.pop() if sizes else 1


class _ArrayRun:
    """One run of an array node."""

    def __init__(self, run: NodeRun, size: int, least: int) -> None:
        self.node, self.size, self.least = run, size, least
        self.outputs: dict[int, lit.LiteralMap] = {}
        task = ids.Identifier()
        inner = run.node.array_node.node
        if inner.HasField("task_node"):
            task = inner.task_node.reference_id
        identifier = ids.TaskExecutionIdentifier(task_id=task, node_execution_id=run.record.message.id)
        message = task_execution_pb2.TaskExecution(id=identifier, input_uri=f"{run.folder}/inputs.pb")
        closure = message.closure
        closure.task_type, closure.event_version = "container_array", 1
        closure.metadata.plugin_identifier = "k8s-array"
        self.record = TaskRecord(message, run.inputs)
        with run.engine.records.changing():
            run.record.tasks[task.name, 0] = self.record
            run.engine.records.set_task_phase(self.record, TaskPhase.QUEUED)
            for index in range(size):
                self.resource(index, 0).phase = TaskPhase.UNDEFINED

    def resource(self, index: int, attempt: int) -> Any:
        """Return the external resource of an element's attempt."""
        resources = self.record.message.closure.metadata.external_resources
        for each in resources:
            if (each.index, each.retry_attempt) == (index, attempt):
                return each
        name = f"{self.node.engine.id.name}-{self.node.unique_id}-0-n{index}-{attempt}"
        return resources.add(index=index, retry_attempt=attempt, external_id=name)

    def run(self) -> lit.LiteralMap:
        records = self.node.engine.records
        with records.changing():
            records.set_task_phase(self.record, TaskPhase.RUNNING)
            self.node.set_phase(NodePhase.RUNNING)
        try:
            self._run_elements()
        except Failure as failure:
            self._end(TaskPhase.FAILED, failure.error)
            raise
        except Stopped:
            self._end(TaskPhase.ABORTED, phases.ExecutionError(code="Task Aborted", message="aborted"))
            raise
        outputs = self._gathered()
        with records.changing():
            self.record.outputs = outputs
            self.record.message.closure.output_uri = f"{self.node.attempt_folder}/outputs.pb"
            records.set_task_phase(self.record, TaskPhase.SUCCEEDED)
        return outputs

    def _end(self, phase: int, error: phases.ExecutionError) -> None:
        records = self.node.engine.records
        with records.changing():
            self.record.message.closure.error.CopyFrom(error)
            records.set_task_phase(self.record, phase)

    def _run_elements(self) -> None:
        array, ended = self.node.node.array_node, queue.SimpleQueue[tuple[int, BaseException | None]]()
        stop = Stop(self.node.stop)
        slots = Slots(array.parallelism) if array.parallelism else self.node.engine.slots
        for index in range(self.size):
            self._start(index, slots, stop, ended)
        failures: list[tuple[int, Failure]] = []
        other: BaseException | None = None
        for _ in range(self.size):
            index, error = ended.get()
            if isinstance(error, Failure):
                failures.append((index, error))
            elif error is not None:
                other = other or error
            if self.size - len(failures) < self.least or other is not None:
                stop.set()
        if self.size - len(failures) < self.least:
            index, first = failures[0]
            raise Failure("", f"[{index}]: {first.error.message}\n", phases.ExecutionError.UNKNOWN)
        if other is not None:
            raise other

    def _start(
        self, index: int, slots: Slots, stop: Stop, ended: queue.SimpleQueue[tuple[int, BaseException | None]]
    ) -> None:
        def target() -> None:
            error: BaseException | None = None
            try:
                self.outputs[index] = _ElementRun(self, index, slots, stop).run_with(self._inputs(index))
            except BaseException as e:
                error = e
            ended.put((index, error))

        threading.Thread(target=target, name=f"{self.node.unique_id}-{index}", daemon=True).start()

    def _inputs(self, index: int) -> lit.LiteralMap:
        bound = self.node.node.array_node.bound_inputs
        values = {
            name: each.collection.literals[index] if each.HasField("collection") and name not in bound else each
            for name, each in self.node.inputs.literals.items()
        }
        return lit.LiteralMap(literals=values)

    def _gathered(self) -> lit.LiteralMap:
        """Return lists of what the elements gave; a failed one gave None."""
        inner, names = self.node.node.array_node.node, set()
        if inner.HasField("task_node"):
            template = self.node.workflow.closure.tasks[key_of(inner.task_node.reference_id)]
            names |= set(template.interface.outputs.variables)
        for each in self.outputs.values():
            names |= set(each.literals)
        empty = lit.LiteralMap()
        lists = {
            name: [self.outputs.get(i, empty).literals[name] if i in self.outputs else NONE for i in range(self.size)]
            for name in names
        }
        values = {n: lit.Literal(collection=lit.LiteralCollection(literals=each)) for n, each in lists.items()}
        return lit.LiteralMap(literals=values)


class _ElementRun(NodeRun):
    """An element: a node that only the external resources of its array tell of."""

    def __init__(self, array: _ArrayRun, index: int, slots: Slots, stop: Stop) -> None:
        node = copied(array.node.node.array_node.node)
        node.id = f"n{index}"
        node.metadata.timeout.CopyFrom(node.metadata.timeout or array.node.node.metadata.timeout)
        run = array.node
        super().__init__(run.workflow, node, run.as_parent, run.attempt_folder, stop)
        self.array, self.index, self._slots = array, index, slots
        self.environment = {_INDEX: str(index), "BATCH_JOB_ARRAY_INDEX_VAR_NAME": _INDEX}
        self.input_uri = f"{run.folder}/inputs.pb"

    @property
    def slots(self) -> Slots:
        return self._slots

    def enter(self, inputs: lit.LiteralMap) -> None:
        self.inputs = inputs
        self._resource(TaskPhase.QUEUED)

    def set_phase(self, phase: int) -> None:
        """An element has no phases of a node."""

    def task_changed(self, task: TaskRecord) -> None:
        resource = self._resource(task.message.closure.phase)
        del resource.logs[:]
        for log in task.message.closure.logs:
            resource.logs.add(uri=log.uri, name=f"{log.name}-{self.index}")

    def set_cache(self, status: int, key: Any = None) -> None:
        resource = self._resource(None)
        resource.cache_status = status

    def succeed(self, outputs: lit.LiteralMap, phase: int = NodePhase.SUCCEEDED) -> None:
        self._resource(TaskPhase.SUCCEEDED)

    def _fail(self, error: phases.ExecutionError, phase: int = NodePhase.FAILED) -> None:
        self._resource(TaskPhase.ABORTED if phase == NodePhase.ABORTED else TaskPhase.FAILED)

    def _resource(self, phase: int | None) -> Any:
        with self.engine.records.changing():
            resource = self.array.resource(self.index, self.attempt)
            if phase is not None:
                resource.phase = phase
                self.engine.records.set_task_phase(self.array.record, self.array.record.message.closure.phase)
            return resource

    def _recovered(self) -> None:
        return None
