"""Executions of registered entities."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from flyteidl.admin.common_pb2 import ObjectGetRequest
from flyteidl.admin.execution_pb2 import ExecutionCreateRequest, ExecutionMetadata, ExecutionSpec, NotificationList
from flytekit.exceptions.user import FlyteEntityAlreadyExistsException
from flytekit.models.literals import Literal, LiteralMap

from flytenb.bridge.cluster.connection import Connection
from flytenb.bridge.cluster.execution_facts import ExecutionId
from flytenb.bridge.cluster.registration import identifier


def new_name() -> str:
    """Return a name for an execution."""
    return f"f{uuid.uuid4().hex[:19]}"


def execute(
    connection: Connection, kind: str, name: str, version: str, inputs: Mapping[str, Literal], execution: str = ""
) -> ExecutionId:
    """Start an execution. One that exists under its name, which is random, was started by an attempt without an answer.

    Args:
        connection: the cluster.
        kind: `task`, `workflow` or `launch_plan`; a workflow is executed by the launch plan of its name.
        name: the name of the entity.
        version: its version.
        inputs: the inputs.
        execution: its name, which an attempt that got no answer has used; `""` for a new one.

    Raises:
        ClusterError: with the message of the server.
    """
    request = ExecutionCreateRequest(
        project=connection.project,
        domain=connection.domain,
        name=execution or new_name(),
        spec=ExecutionSpec(
            launch_plan=identifier(connection, "task" if kind == "task" else "launch_plan", name, version),
            metadata=ExecutionMetadata(mode=ExecutionMetadata.MANUAL, principal="flytenb"),
            notifications=NotificationList(),
        ),
        inputs=LiteralMap(dict(inputs)).to_flyte_idl(),
    )
    with connection.asking(f"launch {name!r}"), suppress(FlyteEntityAlreadyExistsException):
        connection.raw.create_execution(request)
    return ExecutionId(request.project, request.domain, request.name)


def workflow_closure(connection: Connection, workflow: Any) -> Any:
    """Return flyteidl's compiled closure of a workflow.

    Raises:
        ClusterError: with the message of the server.
    """
    with connection.asking(f"look up {workflow.name!r}"):
        return connection.raw.get_workflow(ObjectGetRequest(id=workflow)).closure.compiled_workflow


def task_template(connection: Connection, name: str, version: str) -> Any:
    """Return flyteidl's template of a task.

    Raises:
        ClusterError: with the message of the server.
    """
    request = ObjectGetRequest(id=identifier(connection, "task", name, version))
    with connection.asking(f"look up {name!r}"):
        return connection.raw.get_task(request).closure.compiled_task.template
