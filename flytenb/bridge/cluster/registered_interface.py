"""Interfaces of registered entities, compared with those of the notebook; references to what a cluster has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flyteidl.admin.common_pb2 import ObjectGetRequest
from flyteidl.core.identifier_pb2 import LAUNCH_PLAN, TASK
from flytekit.core.reference_entity import ReferenceEntity
from flytekit.models.types import LiteralType

from flytenb.bridge.cluster.connection import Connection
from flytenb.bridge.cluster.launching import task_template, workflow_closure
from flytenb.bridge.cluster.registration import identifier
from flytenb.bridge.type_engine.literal_data import literal_type_text
from flytenb.errors import RegistrationError


@dataclass(frozen=True)
class RegisteredName:
    """An entity on a cluster: project, domain, kind (`task`, `workflow` or `launch_plan`), name and version."""

    project: str
    domain: str
    kind: str
    name: str
    version: str


def referenced(entity: Any) -> RegisteredName | None:
    """Return what a reference refers to, None for any other entity."""
    if not isinstance(entity, ReferenceEntity):
        return None
    found = entity.reference
    kind = {TASK: "task", LAUNCH_PLAN: "launch_plan"}.get(found.resource_type, "workflow")
    return RegisteredName(found.project, found.domain, kind, found.name, found.version)


def require_interface(connection: Connection, kind: str, name: str, version: str, entity: Any) -> None:
    """Check that a registered entity takes and returns what the notebook's entity does.

    Raises:
        RegistrationError: with what differs.
        ClusterError: with the message of the server, if it isn't registered.
    """
    there = _interface_there(connection, kind, name, version)
    here = entity.interface.to_flyte_idl()
    found = [
        *_differences("input", there[0], here.inputs.variables, is_optional=kind == "launch_plan"),
        *_differences("output", there[1], here.outputs.variables),
    ]
    if found:
        raise RegistrationError(
            f"{kind.replace('_', ' ')} {name!r} differs on {connection.endpoint}: {'; '.join(found)}",
            hint=f"declare the types of its version {version!r}, or refer to another version",
        )


def _interface_there(
    connection: Connection, kind: str, name: str, version: str
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    own = identifier(connection, kind, name, version)
    if kind == "launch_plan":
        with connection.asking(f"look up {name!r}"):
            closure = connection.raw.get_launch_plan(ObjectGetRequest(id=own)).closure
        inputs = {each: parameter.var for each, parameter in closure.expected_inputs.parameters.items()}
        return inputs, closure.expected_outputs.variables
    if kind == "task":
        typed = task_template(connection, name, version).interface
    else:
        typed = workflow_closure(connection, own).primary.template.interface
    return typed.inputs.variables, typed.outputs.variables


def _differences(
    what: str, there: Mapping[str, Any], here: Mapping[str, Any], *, is_optional: bool = False
) -> Iterator[str]:
    for name in sorted({*there, *here}):
        texts = [_text(side[name]) if name in side else "" for side in (there, here)]
        if texts[0] != texts[1] and not (is_optional and not texts[0]):  # a launch plan has fixed it
            yield f"{what} {name!r} is {texts[0] or 'missing'} there and {texts[1] or 'missing'} here"


def _text(variable: Any) -> str:
    return str(literal_type_text(LiteralType.from_flyte_idl(variable.type)))
