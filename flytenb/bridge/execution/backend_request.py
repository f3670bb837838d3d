"""Requests of tasks to their services, read without an account: statement, parameters, configuration, literals."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, get_origin

from flytekit.core.base_sql_task import SQLTask
from flytekit.core.base_task import PythonTask
from flytekit.core.context_manager import FlyteContextManager
from flytekit.core.type_engine import TypeEngine
from flytekit.extras.sqlite3.task import SQLite3Task
from flytekit.models.literals import LiteralMap
from flytekit.models.task import TaskTemplate
from flytekit.models.types import SimpleType
from flytekit.types.structured import StructuredDataset
from google.protobuf.json_format import MessageToDict

from flytenb.bridge.context import Workspace
from flytenb.bridge.crossing.literal import to_native
from flytenb.bridge.entities.interface import is_map, short_name
from flytenb.bridge.execution.boto_request import read_boto_call
from flytenb.bridge.execution.connector import is_connector_task
from flytenb.bridge.execution.container_files import INPUT_TEMPLATE, render_input
from flytenb.bridge.execution.sql_parameters import find_mistakes
from flytenb.bridge.execution.task_template import (
    find_lost_digits,
    input_literals,
    stored_template,
    write_template,
)
from flytenb.errors import InputError, closest
from flytenb.model.request import Request
from flytenb.wording.types import type_text

_RENDERED_BY_CLUSTER = {"presto": ("statement",), "hive": ("query", "query")}
"""Task types of propeller's own plugins, which fill in the whole configuration; where their statement is."""
_DIALECTS = {
    "bigquery_query_job_task": "bigquery",
    "snowflake": "snowflake",
    "presto": "athena",
    "hive": "hive",
}
_SCHEMES = {"postgresql": "postgres", "mssql": "tsql"}
"""Dialects whose name differs from the scheme of SQLAlchemy's URLs."""
_SENT_TO_BIGQUERY = (  # `pythonTypeToBigQueryType` of flytekitplugins-bigquery, 1.16.31
    SimpleType.BOOLEAN, SimpleType.INTEGER, SimpleType.FLOAT, SimpleType.STRING, SimpleType.DATETIME
)  # fmt: skip
_NAMED = {"bigquery_query_job_task": "@{}", "snowflake": "%({})s"}
"""How a statement names a parameter."""


def is_backend_task(entity: Any) -> bool:
    """Tell whether a service outside of this process runs a task, so that it needs an account there."""
    return is_connector_task(entity) or (isinstance(entity, SQLTask) and not isinstance(entity, SQLite3Task))


def is_replaceable(entity: Any) -> bool:
    """Tell whether an entity is a task that an answer can replace."""
    return isinstance(entity, PythonTask) and not is_map(entity)


def as_output(value: Any, declared: Any) -> Any:
    """Return a frame as flytekit wants it for an output that is declared as a StructuredDataset."""
    if get_origin(declared) is Annotated:
        declared = declared.__origin__
    is_dataset = isinstance(declared, type) and issubclass(declared, StructuredDataset)
    return StructuredDataset(dataframe=value) if is_dataset and not isinstance(value, StructuredDataset) else value


def read_request(task: Any, node: str, attempt: int, inputs: Mapping[str, Any], workspace: Workspace) -> Request:
    """Return what a task sends to its service. In the context of its node.

    Raises:
        Exception: what flytekit or the plugin raises for a task that can't be registered or sent.
    """
    written = write_template(task, workspace)
    template = stored_template(written)
    literals = input_literals(task, inputs)
    custom = dict(template.custom or {})
    sql, parameters, call = _read_sql(task, template, custom, inputs, literals)
    return Request(
        node=node,
        attempt=attempt,
        task=short_name(task),
        task_type=template.type,
        task_version=template.task_type_version or 0,
        sql=sql,
        parameters=parameters,
        dialect=_dialect(template.type, custom),
        call=call or read_boto_call(template, literals, f"s3://rehearsal/{node}"),
        custom=custom,
        config=dict(template.config or {}),
        container=_read_container(template),
        inputs=_read_literals(literals),
        notes=(*_read_notes(task, template.type, sql, parameters), *_lost(written.custom)),
    )


def _read_sql(
    task: Any, template: TaskTemplate, custom: dict[str, Any], inputs: Mapping[str, Any], literals: LiteralMap
) -> tuple[str | None, dict[str, Any], dict[str, Any]]:
    """Return the statement, its parameters and the filled-in configuration: who fills in the inputs differs."""
    at = _RENDERED_BY_CLUSTER.get(template.type)
    if at is not None:
        call = _render(custom, literals.to_flyte_idl().literals)
        statement: Any = call
        for key in at:
            statement = statement[key]
        return statement, {}, call
    if template.sql is not None:  # the connector sends the statement as it is
        return template.sql.statement, _read_parameters(task, template, inputs, literals), {}
    if isinstance(task, SQLTask) and not is_connector_task(task):
        return task.get_query(**inputs), {}, {}
    return None, {}, {}


def _read_parameters(
    task: Any, template: TaskTemplate, inputs: Mapping[str, Any], literals: LiteralMap
) -> dict[str, Any]:
    """Return the inputs as the connector sends them: those of flytekit know only the literals, a date is a datetime.

    Raises:
        InputError: for a type that the connector can't send.
    """
    if template.type not in _NAMED:
        return dict(inputs)
    types = {name: TypeEngine.guess_python_type(v.type) for name, v in task.interface.inputs.items()}
    found = {name: to_native(literal, types[name]) for name, literal in literals.literals.items()}
    if template.type != "bigquery_query_job_task":
        return found
    for name, variable in task.interface.inputs.items():
        if variable.type.simple not in _SENT_TO_BIGQUERY:
            declared = type_text(task.python_interface.inputs[name])
            raise InputError(
                f"the BigQuery connector can't send input {name!r} of type {declared}",
                "it sends bool, int, float, str and datetime; pass a list as text and split it in the statement",
            )
    return {name: _without_zone(value) for name, value in found.items()}


def _without_zone(value: Any) -> Any:
    """Return a moment as BigQuery's client sends a DATETIME: in UTC, without a time zone."""
    is_aware = isinstance(value, datetime.datetime) and value.tzinfo is not None
    return value.astimezone(datetime.UTC).replace(tzinfo=None) if is_aware else value


def _render(value: Any, literals: Mapping[str, Any]) -> Any:
    """Fill in the placeholders of a configuration as propeller does."""

    def fill(found: re.Match[str]) -> str:
        name = found[1]
        if name not in literals:
            raise InputError(f"the statement has a placeholder for an unknown input {name!r}", closest(name, literals))
        return render_input(literals[name])

    if isinstance(value, dict):
        return {key: _render(item, literals) for key, item in value.items()}
    return INPUT_TEMPLATE.sub(fill, value) if isinstance(value, str) and literals else value


def _dialect(task_type: str, custom: Mapping[str, Any]) -> str:
    if task_type in _DIALECTS or task_type != "sqlalchemy":
        return _DIALECTS.get(task_type, "")
    scheme = str(custom.get("uri", "")).partition(":")[0].partition("+")[0]
    return _SCHEMES.get(scheme, scheme)


def _read_container(template: TaskTemplate) -> dict[str, Any]:
    container = template.container
    if container is None:
        return {}
    found = {"image": container.image, "command": container.command, "args": container.args, "env": container.env}
    return {key: value for key, value in found.items() if value}


def _read_literals(literals: LiteralMap) -> dict[str, Any]:
    """Return the literals as JSON; files that this run stored get numbers in place of their random names."""
    prefix = FlyteContextManager.current_context().file_access.raw_output_prefix
    names: dict[str, str] = {}

    def name_files(value: Any) -> Any:
        match value:
            case dict():
                return {key: name_files(item) for key, item in value.items()}
            case list():
                return [name_files(item) for item in value]
            case str() if value.startswith(prefix):
                return names.setdefault(value, f"stored file {len(names) + 1}")
        return value

    found = {name: MessageToDict(literals.literals[name].to_flyte_idl()) for name in sorted(literals.literals)}
    return {name: name_files(value) for name, value in found.items()}


def _read_notes(task: Any, task_type: str, sql: str | None, parameters: Mapping[str, Any]) -> Iterator[str]:
    if not sql or not is_connector_task(task):
        return
    named = _NAMED.get(task_type)
    for name in dict.fromkeys(INPUT_TEMPLATE.findall(sql)):
        better = f"; write {named.format(name)}, which is sent with its value" if named else ""
        yield f"the connector sends {{{{ .inputs.{name} }}}} as it is written{better}"
    yield from find_mistakes(sql, parameters, task_type)


def _lost(custom: Any) -> Iterator[str]:
    return (f"get_custom: {lost}; give it as text" for lost in find_lost_digits(custom))
