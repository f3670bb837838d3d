"""A query of Athena."""

from flytekit import kwtypes, workflow
from flytekit.types.structured import StructuredDataset
from flytekitplugins.athena import AthenaConfig, AthenaTask

query = AthenaTask(
    name="trips",
    query_template="SELECT * FROM trips WHERE day = '{{ .Inputs.day }}'",
    inputs=kwtypes(day=str),
    task_config=AthenaConfig(database="flights", catalog="main", workgroup="team"),
    output_schema_type=StructuredDataset,
)


@workflow
def queried(day: str) -> StructuredDataset:
    return query(day=day)


ENTITY = queried
