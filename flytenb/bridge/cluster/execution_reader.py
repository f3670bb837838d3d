"""Executions on a cluster as frozen facts: phases, times, attempts, logs, values. It only asks what it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.request import urlopen

from flyteidl.admin.common_pb2 import Sort
from flyteidl.admin.execution_pb2 import (
    ExecutionTerminateRequest,
    WorkflowExecutionGetDataRequest,
    WorkflowExecutionGetRequest,
)
from flyteidl.admin.node_execution_pb2 import NodeExecutionGetDataRequest, NodeExecutionListRequest
from flyteidl.admin.signal_pb2 import SignalSetRequest
from flyteidl.admin.task_execution_pb2 import TaskExecutionListRequest
from flyteidl.core.catalog_pb2 import CatalogCacheStatus
from flyteidl.core.execution_pb2 import NodeExecution, TaskExecution, WorkflowExecution
from flyteidl.core.identifier_pb2 import TASK, NodeExecutionIdentifier, SignalIdentifier, WorkflowExecutionIdentifier
from flyteidl.service.dataproxy_pb2 import ARTIFACT_TYPE_DECK, CreateDownloadLinkRequest
from flytekit.models.core.identifier import WorkflowExecutionIdentifier as WorkflowExecutionModel
from flytekit.models.literals import Literal, LiteralMap

from flytenb.bridge.cluster.connection import Connection
from flytenb.model import CacheStatus, Phase

_PAGE = 100
_PATIENCE = 30.0
"""Seconds after which the storage of a cluster doesn't answer."""
_LATE = 2.0
"""Seconds by which a change may become visible after the time that the server gives it."""
_PHASES = {
    "UNDEFINED": Phase.QUEUED,
    "QUEUED": Phase.QUEUED,
    "RUNNING": Phase.RUNNING,
    "DYNAMIC_RUNNING": Phase.RUNNING,
    "INITIALIZING": Phase.QUEUED,
    "WAITING_FOR_RESOURCES": Phase.QUEUED,
    "FAILING": Phase.RUNNING,
    "SUCCEEDING": Phase.RUNNING,
    "ABORTING": Phase.RUNNING,
    "SUCCEEDED": Phase.SUCCEEDED,
    "RECOVERED": Phase.SUCCEEDED,
    "FAILED": Phase.FAILED,
    "RETRYABLE_FAILED": Phase.FAILED,
    "ABORTED": Phase.ABORTED,
    "SKIPPED": Phase.SKIPPED,
    "TIMED_OUT": Phase.TIMED_OUT,
}
_CACHE = {
    "CACHE_DISABLED": CacheStatus.DISABLED,
    "CACHE_MISS": CacheStatus.MISS,
    "CACHE_HIT": CacheStatus.HIT,
    "CACHE_POPULATED": CacheStatus.POPULATED,
}
_TIME_LIMITS = ("TimeoutExpired", "TimedOut")
"""What the codes of errors contain that are about a time limit."""
Links = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ExecutionId:
    """An execution: project, domain, name."""

    project: str
    domain: str
    name: str

    @property
    def message(self) -> Any:
        """Flyteidl's message."""
        return WorkflowExecutionIdentifier(project=self.project, domain=self.domain, name=self.name)

    def __str__(self) -> str:
        return f"{self.project}:{self.domain}:{self.name}"


@dataclass(frozen=True)
class Ran:
    """Phase, start, end and error of an execution, a node or an attempt; times in seconds since the epoch."""

    phase: Phase
    started: float | None = None
    ended: float | None = None
    message: str = ""


@dataclass(frozen=True)
class ExecutionFacts:
    """An execution as it is now.

    Attributes:
        ran: phase and times.
        kind: `task` or `launch_plan`: what was executed.
        name: its name.
        version: its version.
        workflow: flyteidl's identifier of its workflow.
    """

    ran: Ran
    kind: str
    name: str
    version: str
    workflow: Any


@dataclass(frozen=True)
class NodeFacts:
    """A node as it is listed.

    Attributes:
        id: unique in the execution.
        spec_id: its id in its workflow.
        ran: phase and times.
        cache: the use of the cache, None if it isn't known.
        is_parent: whether it contains nodes.
        is_dynamic: whether its nodes are made at run time.
        is_array: whether it has elements.
        child: the execution that it has started, of a launch plan.
        deck: the address of its deck, `""` without one.
        updated: time of the last change.
    """

    id: str
    spec_id: str
    ran: Ran
    cache: CacheStatus | None
    is_parent: bool
    is_dynamic: bool
    is_array: bool
    child: ExecutionId | None
    deck: str
    updated: float


@dataclass(frozen=True)
class AttemptFacts:
    """One attempt at a task or at an element of a map; `number` is from 0, `element` is None for a task."""

    number: int
    ran: Ran
    links: Links
    element: int | None = None
    elements: tuple[AttemptFacts, ...] = ()


class ExecutionReader:
    """Asks a cluster about one execution.

    Args:
        connection: the cluster.
        identifier: the execution.

    Attributes:
        identifier: the execution.
    """

    def __init__(self, connection: Connection, identifier: ExecutionId) -> None:
        self.connection = connection
        self.identifier = identifier

    @property
    def console_address(self) -> str:
        """The address of the execution in the cluster's console."""
        model = WorkflowExecutionModel(self.identifier.project, self.identifier.domain, self.identifier.name)
        return str(self.connection.remote.generate_console_url(model))

    # --- phases --------------------------------------------------------------------------------------------------

    def read_execution(self) -> ExecutionFacts:
        """Return the state of the execution.

        Raises:
            ClusterError: in the words of the server.
        """
        with self._asking("read"):
            found = self._raw.get_execution(WorkflowExecutionGetRequest(id=self.identifier.message))
        closure, spec = found.closure, found.spec.launch_plan
        message = closure.error.message or closure.abort_metadata.cause or closure.abort_cause
        ran = _ran(closure, WorkflowExecution.Phase.Name(closure.phase), message, closure.error.code)
        kind = "task" if spec.resource_type == TASK else "launch_plan"
        return ExecutionFacts(ran, kind, spec.name, spec.version, closure.workflow_id)

    def read_nodes(self, parent: str = "", since: float = 0.0) -> list[NodeFacts]:
        """Return the nodes directly inside a node, or of the execution itself, in the order in which they were created.

        Args:
            parent: the id of the node, `""` for the execution.
            since: leaves out nodes that haven't changed since then, in seconds since the epoch.

        Raises:
            ClusterError: in the words of the server.
        """
        filters = f"gte(updated_at,{_time_text(since - _LATE)})" if since else ""
        found: list[NodeFacts] = []
        token = ""
        while True:
            request = NodeExecutionListRequest(
                workflow_execution_id=self.identifier.message,
                limit=_PAGE,
                token=token,
                filters=filters,
                unique_parent_id=parent,
                sort_by=Sort(key="created_at", direction=Sort.ASCENDING),
            )
            with self._asking("watch"):
                answer = self._raw.list_node_executions_paginated(request)
            found += map(_node_facts, answer.node_executions)
            token = answer.token
            if not token:
                return found

    def read_attempts(self, node: str) -> list[AttemptFacts]:
        """Return the attempts at a node's task, the first one first.

        Raises:
            ClusterError: in the words of the server.
        """
        request = TaskExecutionListRequest(node_execution_id=self._node(node), limit=_PAGE)
        with self._asking("watch"):
            listed = self._raw.list_task_executions_paginated(request).task_executions
        return sorted((_attempt_facts(each) for each in listed), key=lambda attempt: attempt.number)

    # --- values --------------------------------------------------------------------------------------------------

    def read_values(self, node: str = "") -> tuple[Mapping[str, Literal], Mapping[str, Literal]]:
        """Return the inputs and outputs of a node, or of the execution.

        Raises:
            ClusterError: in the words of the server.
        """
        with self._asking("read the values of"):
            if node:
                found = self._raw.get_node_execution_data(NodeExecutionGetDataRequest(id=self._node(node)))
            else:
                found = self._raw.get_execution_data(WorkflowExecutionGetDataRequest(id=self.identifier.message))
        return _literals(found.full_inputs), _literals(found.full_outputs)

    def read_inside(self, node: str) -> Any:
        """Return the compiled workflow that a dynamic node has made, None before that.

        Raises:
            ClusterError: in the words of the server.
        """
        with self._asking("watch"):
            found = self._raw.get_node_execution_data(NodeExecutionGetDataRequest(id=self._node(node)))
        return found.dynamic_workflow.compiled_workflow if found.HasField("dynamic_workflow") else None

    def read_deck(self, node: str) -> str:
        """Return the HTML of a node's deck, from an address that needs no credentials.

        Raises:
            ClusterError: in the words of the server or its storage.
        """
        request = CreateDownloadLinkRequest(artifact_type=ARTIFACT_TYPE_DECK, node_execution_id=self._node(node))
        with self._asking("read a deck of"):
            [address, *_] = self._raw.create_download_link(request).pre_signed_urls.signed_url
            with urlopen(address, timeout=_PATIENCE) as answer:
                return str(answer.read().decode(errors="replace"))

    # --- what can be done ----------------------------------------------------------------------------------------

    def set_signal(self, name: str, value: Literal) -> None:
        """Answer a gate.

        Raises:
            ClusterError: in the words of the server.
        """
        signal = SignalIdentifier(signal_id=name, execution_id=self.identifier.message)
        with self._asking(f"answer gate {name!r} of"):
            self._raw.set_signal(SignalSetRequest(id=signal, value=value.to_flyte_idl()))

    def terminate(self, cause: str) -> None:
        """Abort the execution.

        Raises:
            ClusterError: in the words of the server.
        """
        with self._asking("abort"):
            self._raw.terminate_execution(ExecutionTerminateRequest(id=self.identifier.message, cause=cause))

    @property
    def _raw(self) -> Any:
        return self.connection.raw

    def _asking(self, verb: str) -> Any:
        return self.connection.asking(f"{verb} execution {self.identifier.name!r}")

    def _node(self, node: str) -> Any:
        return NodeExecutionIdentifier(node_id=node, execution_id=self.identifier.message)


def _ran(closure: Any, phase: str, message: str, code: str = "") -> Ran:
    found = _PHASES.get(phase, Phase.RUNNING)
    if found is Phase.FAILED and any(word in code for word in _TIME_LIMITS):
        found = Phase.TIMED_OUT  # a cluster calls a node that exceeded its time limit FAILED
    started = closure.started_at.ToNanoseconds() / 1e9 if closure.HasField("started_at") else None
    if not found.is_terminal:
        return Ran(found, started, None, message)
    updated = closure.updated_at.ToNanoseconds() / 1e9
    took = closure.duration.ToNanoseconds() / 1e9 if closure.HasField("duration") else None
    ended = updated if started is None or took is None else started + took
    return Ran(found, started, ended, message)


def _node_facts(listed: Any) -> NodeFacts:
    closure, metadata = listed.closure, listed.metadata
    child = closure.workflow_node_metadata.executionId if closure.HasField("workflow_node_metadata") else None
    cache = None
    if closure.HasField("task_node_metadata"):
        name = CatalogCacheStatus.Name(closure.task_node_metadata.cache_status)
        cache = _CACHE.get(name, CacheStatus.SKIPPED)
    phase = NodeExecution.Phase.Name(closure.phase)
    return NodeFacts(
        id=listed.id.node_id,
        spec_id=metadata.spec_node_id or listed.id.node_id,
        ran=_ran(closure, phase, closure.error.message, closure.error.code),
        cache=cache,
        is_parent=metadata.is_parent_node,
        is_dynamic=metadata.is_dynamic,
        is_array=metadata.is_array,
        child=None if child is None else ExecutionId(child.project, child.domain, child.name),
        deck=closure.deck_uri,
        updated=closure.updated_at.ToNanoseconds() / 1e9,
    )


def _attempt_facts(listed: Any) -> AttemptFacts:
    closure = listed.closure
    phase = TaskExecution.Phase.Name(closure.phase)
    return AttemptFacts(
        number=listed.id.retry_attempt,
        ran=_ran(closure, phase, closure.error.message, closure.error.code),
        links=_links(closure.logs),
        elements=tuple(
            AttemptFacts(
                number=each.retry_attempt,
                ran=Ran(_PHASES.get(TaskExecution.Phase.Name(each.phase), Phase.RUNNING)),
                links=_links(each.logs),
                element=each.index,
            )
            for each in closure.metadata.external_resources
        ),
    )


def _links(logs: Any) -> Links:
    return tuple((log.name or "log", log.uri) for log in logs)


def _literals(message: Any) -> Mapping[str, Literal]:
    return dict(LiteralMap.from_flyte_idl(message).literals)


def _time_text(seconds: float) -> str:
    """Return a time as the server's filters take it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
