"""Executions of registered entities."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from flyteidl.admin.common_pb2 import ObjectGetRequest
from flyteidl.admin.execution_pb2 import ExecutionCreateRequest, ExecutionMetadata, ExecutionSpec, NotificationList
from flytekit.models.literals import Literal, LiteralMap

from flytenb.bridge.cluster.connection import Connection
from flytenb.bridge.cluster.execution_facts import ExecutionId
from flytenb.bridge.cluster.registration import identifier


def execute(connection: Connection, kind: str, name: str, version: str, inputs: Mapping[str, Literal]) -> ExecutionId:
    """Start an execution under a new name.

    Args:
        connection: the cluster.
        kind: `task`, `workflow` or `launch_plan`; a workflow is executed by the launch plan of its name.
        name: the name of the entity.
        version: its version.
        inputs: the inputs.

    Raises:
        ClusterError: in the words of the server.
    """
    request = ExecutionCreateRequest(
        project=connection.project,
        domain=connection.domain,
        name=f"f{uuid.uuid4().hex[:19]}",
        spec=ExecutionSpec(
            launch_plan=identifier(connection, "task" if kind == "task" else "launch_plan", name, version),
            metadata=ExecutionMetadata(mode=ExecutionMetadata.MANUAL, principal="flytenb"),
            notifications=NotificationList(),
        ),
        inputs=LiteralMap(dict(inputs)).to_flyte_idl(),
    )
    with connection.asking(f"launch {name!r}"):
        made = connection.raw.create_execution(request).id
    return ExecutionId(made.project, made.domain, made.name)


def workflow_closure(connection: Connection, workflow: Any) -> Any:
    """Return flyteidl's compiled closure of a workflow.

    Raises:
        ClusterError: in the words of the server.
    """
    with connection.asking(f"look up {workflow.name!r}"):
        return connection.raw.get_workflow(ObjectGetRequest(id=workflow)).closure.compiled_workflow


def task_template(connection: Connection, name: str, version: str) -> Any:
    """Return flyteidl's template of a task.

    Raises:
        ClusterError: in the words of the server.
    """
    request = ObjectGetRequest(id=identifier(connection, "task", name, version))
    with connection.asking(f"look up {name!r}"):
        return connection.raw.get_task(request).closure.compiled_task.template
