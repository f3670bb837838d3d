"""Requests about one execution on a cluster: its phases, nodes, attempts, values, decks and gates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.request import urlopen

from flyteidl.admin.common_pb2 import NamedEntityIdentifier, ResourceListRequest, Sort
from flyteidl.admin.execution_pb2 import (
    ExecutionTerminateRequest,
    WorkflowExecutionGetDataRequest,
    WorkflowExecutionGetRequest,
)
from flyteidl.admin.node_execution_pb2 import NodeExecutionGetDataRequest, NodeExecutionListRequest
from flyteidl.admin.signal_pb2 import SignalSetRequest
from flyteidl.admin.task_execution_pb2 import TaskExecutionListRequest
from flyteidl.core import literals_pb2
from flyteidl.core.execution_pb2 import WorkflowExecution
from flyteidl.core.identifier_pb2 import TASK, NodeExecutionIdentifier, SignalIdentifier
from flyteidl.service.dataproxy_pb2 import ARTIFACT_TYPE_DECK, CreateDownloadLinkRequest
from flytekit.core.constants import EAGER_TAG_KEY
from flytekit.models.core.identifier import WorkflowExecutionIdentifier as WorkflowExecutionModel
from flytekit.models.literals import Literal, LiteralMap

from flytenb.bridge.cluster.connection import Connection
from flytenb.bridge.cluster.execution_facts import (
    AttemptFacts,
    ExecutionFacts,
    ExecutionId,
    NodeFacts,
    read_attempt,
    read_node,
    read_ran,
)

_PAGE = 100
_PATIENCE = 30.0
"""Seconds after which the storage of a cluster doesn't answer."""
_LATE = 2.0
"""Seconds by which a change may become visible after the time that the server gives it."""


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
            ClusterError: with the message of the server.
        """
        with self._asking("read"):
            return _facts(self._raw.get_execution(WorkflowExecutionGetRequest(id=self.identifier.message)))

    def read_calls(self, name: str) -> list[tuple[ExecutionId, ExecutionFacts]]:
        """Return the executions that an eager task of this one has begun, the first one first.

        They have a label with the name of its execution. A cluster can't search for labels, but for parts of names:
        flytekit's are `e-<8 letters of the task>-<5 of its execution>-…` (`EagerAsyncPythonFunctionTask`, 1.16.31),
        with a dash before each capital letter and in place of an underscore.

        Args:
            name: the name of the eager task.

        Raises:
            ClusterError: with the message of the server.
        """
        own, start = self.identifier, name[:8]
        part = start.replace("_", "-") if start == start.lower() else ""
        found: list[tuple[ExecutionId, ExecutionFacts]] = []
        token = ""
        while True:
            request = ResourceListRequest(
                id=NamedEntityIdentifier(project=own.project, domain=own.domain),
                limit=_PAGE,
                token=token,
                filters=f"contains(execution_name,{part}-{own.name[:5]}-)",
                sort_by=Sort(key="created_at", direction=Sort.ASCENDING),
            )
            with self._asking("watch"):
                answer = self._raw.list_executions_paginated(request)
            for each in answer.executions:
                is_own = each.spec.labels.values.get(EAGER_TAG_KEY) == own.name
                if is_own and _letters(each.id.name).startswith(f"e{_letters(start)}"):
                    found.append((ExecutionId(each.id.project, each.id.domain, each.id.name), _facts(each)))
            token = answer.token
            if not token:
                return found

    def read_nodes(self, parent: str = "", since: float = 0.0) -> list[NodeFacts]:
        """Return the nodes directly inside a node, or of the execution itself, in the order in which they were created.

        Args:
            parent: the id of the node, `""` for the execution.
            since: leaves out nodes that haven't changed since then, in seconds since the epoch.

        Raises:
            ClusterError: with the message of the server.
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
            found += map(read_node, answer.node_executions)
            token = answer.token
            if not token:
                return found

    def read_attempts(self, node: str) -> list[AttemptFacts]:
        """Return the attempts at a node's task, the first one first.

        Raises:
            ClusterError: with the message of the server.
        """
        request = TaskExecutionListRequest(node_execution_id=self._node(node), limit=_PAGE)
        with self._asking("watch"):
            listed = self._raw.list_task_executions_paginated(request).task_executions
        return sorted((read_attempt(each) for each in listed), key=lambda attempt: attempt.number)

    # --- values --------------------------------------------------------------------------------------------------

    def read_values(self, node: str = "") -> tuple[Mapping[str, Literal], Mapping[str, Literal]]:
        """Return the inputs and outputs of a node, or of the execution.

        Raises:
            ClusterError: with the message of the server.
        """
        with self._asking("read the values of"):
            if node:
                found = self._raw.get_node_execution_data(NodeExecutionGetDataRequest(id=self._node(node)))
            else:
                found = self._raw.get_execution_data(WorkflowExecutionGetDataRequest(id=self.identifier.message))
            inputs = _literals(found.full_inputs, found.inputs)
            return inputs, _literals(found.full_outputs, found.outputs)

    def read_inside(self, node: str) -> Any:
        """Return the compiled workflow that a dynamic node has made, None before that.

        Raises:
            ClusterError: with the message of the server.
        """
        with self._asking("watch"):
            found = self._raw.get_node_execution_data(NodeExecutionGetDataRequest(id=self._node(node)))
        return found.dynamic_workflow.compiled_workflow if found.HasField("dynamic_workflow") else None

    def read_deck(self, node: str) -> str:
        """Return the HTML of a node's deck, from an address that needs no credentials.

        Raises:
            ClusterError: with the message of the server or its storage.
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
            ClusterError: with the message of the server.
        """
        signal = SignalIdentifier(signal_id=name, execution_id=self.identifier.message)
        with self._asking(f"answer gate {name!r} of"):
            self._raw.set_signal(SignalSetRequest(id=signal, value=value.to_flyte_idl()))

    def terminate(self, cause: str) -> None:
        """Abort the execution.

        Raises:
            ClusterError: with the message of the server.
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


def _facts(found: Any) -> ExecutionFacts:
    """Return the facts of flyteidl's execution."""
    closure, spec = found.closure, found.spec.launch_plan
    message = closure.error.message or closure.abort_metadata.cause or closure.abort_cause
    ran = read_ran(closure, WorkflowExecution.Phase.Name(closure.phase), message, closure.error.code)
    kind = "task" if spec.resource_type == TASK else "launch_plan"
    return ExecutionFacts(ran, kind, spec.name, spec.version, closure.workflow_id)


def _letters(text: str) -> str:
    """Return a name without what flytekit adds or replaces in the name of an execution."""
    return "".join(letter for letter in text.lower() if letter.isalnum())


def _literals(message: Any, link: Any) -> Mapping[str, Literal]:
    """Return values that an answer contains, or from a link, if they are too large for the answer.

    A cluster that signs links leaves out values of 2 MB and more (`remoteData.maxSizeInBytes` of flyteadmin, 1.16.8).
    """
    if not message.literals and link.bytes and link.url:
        with urlopen(link.url, timeout=_PATIENCE) as answer:
            message = literals_pb2.LiteralMap.FromString(answer.read())
    return dict(LiteralMap.from_flyte_idl(message).literals)


def _time_text(seconds: float) -> str:
    """Return a time as the server's filters take it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
