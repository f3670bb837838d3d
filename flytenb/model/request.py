"""Request of a task to the service that runs it."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

_PASSWORD = re.compile(r"(://[^:/@\s]*:)[^@/\s]+(?=@)")


@dataclass(frozen=True)
class Request:
    """What a task sends to the service that runs it, as read by `flytenb.rehearse`.

    Attributes:
        node: the path of the node.
        attempt: the number of the attempt, from 1.
        task: the name of the task.
        task_type: the type by which a cluster finds the connector or plugin.
        task_version: the version of that type.
        sql: the statement as the service gets it, None for a task without one.
        parameters: the values that are sent beside the statement, by name.
        dialect: the dialect of the statement, `""` if it isn't known.
        call: the call of the service with all placeholders filled in; empty if only the plugin knows it.
        custom: the configuration of the task as it is registered (`get_custom`).
        config: further configuration (`get_config`).
        container: image, arguments and environment, if there is a container.
        inputs: the literals of the inputs, in Flyte's JSON form.
        notes: what is likely to be a mistake.
    """

    node: str
    attempt: int
    task: str
    task_type: str
    task_version: int = 0
    sql: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    dialect: str = ""
    call: Mapping[str, Any] = field(default_factory=dict)
    custom: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    container: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON data for golden files: sorted keys, no empty fields, no passwords in URLs."""
        return {
            f.name: _plain(value) for f in fields(self) if (value := getattr(self, f.name)) or f.name == "task_version"
        }


def _plain(value: Any) -> Any:
    match value:
        case Mapping():
            return {str(key): _plain(value[key]) for key in sorted(value, key=str)}
        case list() | tuple():
            return [_plain(item) for item in value]
        case str():
            return _PASSWORD.sub(r"\1***", value)
        case None | bool() | int() | float():
            return value
        case datetime.date() | datetime.time():
            return value.isoformat()
    return str(value)
