"""A SQL task: a query over a database in memory, with inputs put into it."""

import sqlite3
from typing import Any

from flytekit import kwtypes, task, workflow
from flytekit.core.base_sql_task import SQLTask


class MemoryQuery(SQLTask[None]):
    """Runs its query on an empty SQLite database."""

    def __init__(self, name: str, query_template: str, inputs: Any, **kwargs: Any) -> None:
        super().__init__(
            name=name,
            query_template=query_template,
            inputs=inputs,
            outputs=kwtypes(rows=list[int]),
            task_type="memory_query",
            **kwargs,
        )

    def execute(self, **kwargs: Any) -> list[int]:
        connection = sqlite3.connect(":memory:")
        try:
            return [row[0] for row in connection.execute(self.get_query(**kwargs))]
        finally:
            connection.close()


numbers = MemoryQuery(
    name="numbers",
    query_template="""
        WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {{ .inputs.limit }})
        SELECT x FROM n
    """,
    inputs=kwtypes(limit=int),
)


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@workflow
def sql(limit: int) -> int:
    return total(xs=numbers(limit=limit))


ENTITY = sql
INPUTS = {"limit": 4}
EXPECTED = 10
