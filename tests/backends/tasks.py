"""Tasks like those of the plugins for Snowflake, BigQuery, Athena, SQLAlchemy and AWS, without their libraries."""

from __future__ import annotations

from typing import Any

from flytekit import StructuredDataset, kwtypes
from flytekit.configuration import SerializationSettings
from flytekit.core.base_task import PythonTask
from flytekit.core.interface import Interface
from flytekit.extend import SQLTask
from flytekit.extend.backend.base_connector import AsyncConnectorExecutorMixin, SyncConnectorExecutorMixin
from flytekit.models.task import Sql


class QueryTask(AsyncConnectorExecutorMixin, SQLTask[Any]):  # type: ignore[misc]
    """A statement that the connector sends with its parameters, as for Snowflake and BigQuery."""

    def __init__(self, name: str, query: str, task_type: str = "warehouse", **options: Any) -> None:
        options.setdefault("outputs", kwtypes(results=StructuredDataset))
        super().__init__(name, query, task_type=task_type, **options)

    def get_custom(self, settings: SerializationSettings) -> dict[str, Any]:
        return {"ProjectID": "shop"}

    def get_config(self, settings: SerializationSettings) -> dict[str, str]:
        return {"warehouse": "small"}

    def get_sql(self, settings: SerializationSettings) -> Sql:
        return Sql(statement=self.query_template, dialect=Sql.Dialect.ANSI)


class PrestoTask(SQLTask[Any]):  # type: ignore[misc]
    """A statement that propeller fills in, as for Athena."""

    def __init__(self, name: str, query: str, **options: Any) -> None:
        options.setdefault("outputs", kwtypes(results=StructuredDataset))
        super().__init__(name, query, task_type="presto", **options)

    def get_custom(self, settings: SerializationSettings) -> dict[str, Any]:
        return {"statement": self.query_template, "schema": "shop_{{ .inputs.n }}"}


class UrlTask(SQLTask[Any]):  # type: ignore[misc]
    """A statement that the task's own container fills in, as for SQLAlchemy."""

    def __init__(self, name: str, query: str, uri: str, **options: Any) -> None:
        options.setdefault("outputs", kwtypes(results=StructuredDataset))
        super().__init__(name, query, task_type="sqlalchemy", **options)
        self.uri = uri

    def get_custom(self, settings: SerializationSettings) -> dict[str, Any]:
        return {"query_template": self.query_template, "uri": self.uri}


class JobTask(SyncConnectorExecutorMixin, PythonTask[Any]):  # type: ignore[misc]
    """A job that is described by its configuration only."""

    def __init__(self, name: str, custom: dict[str, Any], outputs: dict[str, type], **options: Any) -> None:
        interface = Interface(inputs=options.pop("inputs", None), outputs=outputs)
        super().__init__("training", name, None, interface, **options)
        self.custom = custom

    def get_custom(self, settings: SerializationSettings) -> dict[str, Any]:
        return self.custom
