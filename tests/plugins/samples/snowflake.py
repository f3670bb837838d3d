"""A query of Snowflake."""

from flytekit import kwtypes, workflow
from flytekit.types.structured import StructuredDataset
from flytekitplugins.snowflake import SnowflakeConfig, SnowflakeTask

query = SnowflakeTask(
    name="trips",
    query_template="SELECT * FROM trips WHERE day = %(day)s",
    inputs=kwtypes(day=str),
    task_config=SnowflakeConfig(user="u", account="a", database="d", schema="s", warehouse="w"),
    output_schema_type=StructuredDataset,
)


@workflow
def queried(day: str) -> StructuredDataset:
    return query(day=day)


ENTITY = queried
