"""Executions, node executions and task executions as flyteadmin stores them, and its filters."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from flyteidl.admin import common_pb2, execution_pb2, node_execution_pb2, signal_pb2, task_execution_pb2
from flyteidl.core import execution_pb2 as phases
from flyteidl.core import identifier_pb2 as ids
from flyteidl.core import literals_pb2 as lit
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from tests.cluster.refused import exists, invalid, missing
from tests.waiting import PATIENCE

R = TypeVar("R")
ExecutionKey = tuple[str, str, str]
_NODE_ENDS = {
    phases.NodeExecution.SUCCEEDED,
    phases.NodeExecution.FAILED,
    phases.NodeExecution.ABORTED,
    phases.NodeExecution.SKIPPED,
    phases.NodeExecution.TIMED_OUT,
    phases.NodeExecution.RECOVERED,
}
_EXECUTION_ENDS = {
    phases.WorkflowExecution.SUCCEEDED,
    phases.WorkflowExecution.FAILED,
    phases.WorkflowExecution.ABORTED,
    phases.WorkflowExecution.TIMED_OUT,
}
_TASK_ENDS = {phases.TaskExecution.SUCCEEDED, phases.TaskExecution.FAILED, phases.TaskExecution.ABORTED}


def now() -> Timestamp:
    stamp = Timestamp()
    stamp.FromNanoseconds(time.time_ns())
    return stamp


@dataclass
class TaskRecord:
    """An attempt of a task: its message and its values."""

    message: task_execution_pb2.TaskExecution
    inputs: lit.LiteralMap
    outputs: lit.LiteralMap = field(default_factory=lit.LiteralMap)

    @property
    def number(self) -> int:
        return int(self.message.id.retry_attempt)


@dataclass
class NodeRecord:
    """A node's execution: its message, its values, the id of its parent and its attempts."""

    message: node_execution_pb2.NodeExecution
    parent: str
    inputs: lit.LiteralMap = field(default_factory=lit.LiteralMap)
    outputs: lit.LiteralMap = field(default_factory=lit.LiteralMap)
    dynamic: node_execution_pb2.DynamicWorkflowNodeMetadata | None = None
    tasks: dict[tuple[str, int], TaskRecord] = field(default_factory=dict)


@dataclass
class ExecutionRecord:
    """An execution: its message, its values, its nodes and its signals."""

    message: execution_pb2.Execution
    inputs: lit.LiteralMap
    outputs: lit.LiteralMap = field(default_factory=lit.LiteralMap)
    nodes: dict[str, NodeRecord] = field(default_factory=dict)
    signals: dict[str, signal_pb2.Signal] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        return self.message.closure.phase in _EXECUTION_ENDS


class Records:
    """All executions.

    Attributes:
        changed: held by everything that reads or writes a record, and notified of every change.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self._executions: dict[ExecutionKey, ExecutionRecord] = {}

    @contextmanager
    def changing(self) -> Iterator[None]:
        with self.changed:
            yield
            self.changed.notify_all()

    def notify(self) -> None:
        """Wake what waits for a change."""
        with self.changed:
            self.changed.notify_all()

    def wait_for(self, condition: Callable[[], Any]) -> None:
        """Wait until a condition on records holds; fail if it never does."""
        with self.changed:
            assert self.changed.wait_for(condition, PATIENCE), "it never came true"

    def add(self, record: ExecutionRecord) -> None:
        with self.changing():
            key = execution_key(record.message.id)
            if key in self._executions:
                raise exists(f"duplicated key: project:{key[0]} domain:{key[1]} name:{key[2]}")
            self._executions[key] = record

    def execution(self, identifier: ids.WorkflowExecutionIdentifier) -> ExecutionRecord:
        key = execution_key(identifier)
        if key not in self._executions:
            raise missing(
                "missing entity of type execution with identifier "
                f'project:"{key[0]}"  domain:"{key[1]}"  name:"{key[2]}"'
            )
        return self._executions[key]

    def executions(self, project: str, domain: str) -> list[ExecutionRecord]:
        return [record for key, record in self._executions.items() if key[:2] == (project, domain)]

    def node(self, identifier: ids.NodeExecutionIdentifier) -> NodeRecord:
        found = self.execution(identifier.execution_id).nodes.get(identifier.node_id)
        if found is None:
            raise missing(f'missing entity of type node execution with identifier node_id:"{identifier.node_id}"')
        return found

    def task(self, identifier: ids.TaskExecutionIdentifier) -> TaskRecord:
        tasks = self.node(identifier.node_execution_id).tasks
        found = tasks.get((identifier.task_id.name, identifier.retry_attempt))
        if found is None:
            raise missing(f"missing entity of type task execution with identifier {identifier}")
        return found

    def set_execution_phase(self, record: ExecutionRecord, phase: int) -> None:
        with self.changing():
            _set_phase(record.message.closure, phase, phases.WorkflowExecution.RUNNING, phase in _EXECUTION_ENDS)

    def set_node_phase(self, record: NodeRecord, phase: int) -> None:
        with self.changing():
            _set_phase(record.message.closure, phase, phases.NodeExecution.RUNNING, phase in _NODE_ENDS)

    def set_task_phase(self, record: TaskRecord, phase: int) -> None:
        with self.changing():
            _set_phase(record.message.closure, phase, phases.TaskExecution.RUNNING, phase in _TASK_ENDS)


def execution_key(identifier: ids.WorkflowExecutionIdentifier) -> ExecutionKey:
    return identifier.project, identifier.domain, identifier.name


def _set_phase(closure: Any, phase: int, running: int, is_end: bool) -> None:
    at = now()
    closure.phase = phase
    closure.updated_at.CopyFrom(at)
    if not closure.HasField("created_at"):
        closure.created_at.CopyFrom(at)
    if phase == running and not closure.HasField("started_at"):
        closure.started_at.CopyFrom(at)
    if is_end and closure.HasField("started_at"):
        closure.duration.FromNanoseconds(at.ToNanoseconds() - closure.started_at.ToNanoseconds())


# --- lists ------------------------------------------------------------------------------------------------------------

_FILTER = re.compile(r"(\w+)\((\w+(?:\.\w+)?),(.*)\)")
_TIMES = ("created_at", "updated_at", "started_at")


def listed(found: Iterable[R], request: Any, fields: Any) -> tuple[list[R], str]:
    """Return a page of what the request asks for, and the token of the next one.

    Args:
        found: everything in the order of its creation.
        request: has filters, sort_by, limit and token.
        fields: returns the values of a record by the names of flyteadmin's columns.
    """
    if request.limit == 0:
        raise invalid("invalid value for limit")
    try:
        offset = int(request.token or 0)
    except ValueError:
        raise invalid(f"invalid pagination token {request.token}") from None
    filters = getattr(request, "filters", "")  # a list of active launch plans has none
    tests = [_parse(text) for text in filters.split("+") if text]
    kept = [each for each in found if all(_passes(fields(each), *test) for test in tests)]
    if request.sort_by.key:
        is_descending = request.sort_by.direction == common_pb2.Sort.DESCENDING
        kept.sort(key=lambda each: fields(each)[request.sort_by.key], reverse=is_descending)
    page = kept[offset : offset + request.limit]
    return page, str(offset + len(page)) if len(page) == request.limit else ""


def _parse(text: str) -> tuple[str, str, str]:
    matched = _FILTER.fullmatch(text)
    if matched is None:
        raise invalid(f"unable to parse filter string: {text}")
    operator, name, value = matched.groups()
    return operator, name.rpartition(".")[2], value


def _passes(fields: dict[str, Any], operator: str, name: str, text: str) -> bool:
    if name not in fields:
        raise invalid(f"invalid filter field: {name}")
    have = fields[name]
    values = [_value(name, part) for part in text.split(";")] if operator == "value_in" else [_value(name, text)]
    want = values[0]
    match operator:
        case "eq":
            return bool(have == want)
        case "ne":
            return bool(have != want)
        case "gt":
            return bool(have > want)
        case "gte":
            return bool(have >= want)
        case "lt":
            return bool(have < want)
        case "lte":
            return bool(have <= want)
        case "contains":
            return str(want) in str(have)
        case "value_in":
            return have in values
    raise invalid(f"unrecognized filter function: {operator}")


def _value(name: str, text: str) -> Any:
    if name in _TIMES:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise invalid(f"Failed to parse timestamp [{text}]") from None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(text) if name == "retry_attempt" else text


def execution_fields(record: ExecutionRecord) -> dict[str, Any]:
    closure, key = record.message.closure, record.message.id
    return {
        **_times(closure),
        "phase": phases.WorkflowExecution.Phase.Name(closure.phase),
        "name": key.name,
        "execution_name": key.name,
        "execution_project": key.project,
        "execution_domain": key.domain,
        "user": "",
        "mode": record.message.spec.metadata.mode,
    }


def node_fields(record: NodeRecord) -> dict[str, Any]:
    closure = record.message.closure
    return {
        **_times(closure),
        "phase": phases.NodeExecution.Phase.Name(closure.phase),
        "node_id": record.message.id.node_id,
    }


def task_fields(record: TaskRecord) -> dict[str, Any]:
    closure = record.message.closure
    return {
        **_times(closure),
        "phase": phases.TaskExecution.Phase.Name(closure.phase),
        "retry_attempt": record.number,
        "name": record.message.id.task_id.name,
    }


def _times(closure: Any) -> dict[str, datetime]:
    return {name: getattr(closure, name).ToDatetime(tzinfo=UTC) for name in _TIMES}


def copied(message: Message) -> Any:
    made = type(message)()
    made.CopyFrom(message)
    return made
