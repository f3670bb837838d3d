"""Facts about connectors for their checks: kind, registration, phases, outputs as they are sent."""

from __future__ import annotations

import copy
from typing import Any

from flyteidl.core.execution_pb2 import TaskExecution
from flytekit.exceptions.system import FlyteConnectorNotFound
from flytekit.extend.backend.base_connector import ConnectorBase, ConnectorRegistry, SyncConnectorBase
from flytekit.extend.backend.utils import is_terminal_phase
from flytekit.models.literals import Literal

from flytenb.bridge.type_engine.literal_forms import describe_literal, describe_literal_type, fits


def is_connector(value: Any) -> bool:
    """Tell whether a value is a connector, and not a connector's class."""
    return isinstance(value, ConnectorBase)


def is_sync(connector: Any) -> bool:
    """Tell whether a connector answers in one call."""
    return isinstance(connector, SyncConnectorBase)


def registered_for(task: Any) -> Any:
    """Return the connector that is registered for a task's type, None if there is none."""
    try:
        return ConnectorRegistry.get_connector(task.task_type, task.task_type_version)
    except FlyteConnectorNotFound:
        return None


def fresh_copy(connector: Any) -> Any:
    """Return a connector of the same class as after a restart of its service, None if its class needs arguments."""
    try:
        return type(connector)()
    except TypeError:
        return None


def has_ended(resource: Any) -> bool:
    """Tell whether a job has ended."""
    return bool(is_terminal_phase(resource.phase))


def has_succeeded(resource: Any) -> bool:
    """Tell whether a job has succeeded."""
    return bool(resource.phase == TaskExecution.SUCCEEDED)


def has_failed(resource: Any) -> bool:
    """Tell whether a job has failed by itself."""
    return resource.phase in (TaskExecution.FAILED, TaskExecution.RETRYABLE_FAILED)


async def find_untyped(task: Any, resource: Any) -> dict[str, str]:
    """Return the outputs that don't have their declared types as they are sent to a cluster, each with the reason.

    flytekit's service converts Python values by their own types, whatever the task declares.
    """
    sent = await copy.copy(resource).to_flyte_idl()
    if resource.outputs is None:
        return {}
    problems: dict[str, str] = {}
    for name, variable in task.interface.outputs.items():
        if name not in sent.outputs.literals:
            problems[name] = "is missing"
            continue
        literal = Literal.from_flyte_idl(sent.outputs.literals[name])
        if not fits(literal, variable.type):
            found, declared = describe_literal(literal), describe_literal_type(variable.type)
            problems[name] = f"is sent as {found}, and declared as {declared}"
    for name in sent.outputs.literals:
        if name not in task.interface.outputs:
            problems[name] = "isn't declared"
    return problems
