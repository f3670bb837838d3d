"""A query of Hive."""

from flytekit import kwtypes, workflow
from flytekit.types.schema import FlyteSchema
from flytekitplugins.hive import HiveConfig, HiveSelectTask

query = HiveSelectTask(
    name="trips",
    inputs=kwtypes(day=str),
    task_config=HiveConfig(cluster_label="flights"),
    select_query="SELECT * FROM trips WHERE day = '{{ .Inputs.day }}'",
    output_schema_type=FlyteSchema,
)


@workflow
def queried(day: str) -> FlyteSchema:
    return query(day=day)


ENTITY = queried
