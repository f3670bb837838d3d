"""A query of BigQuery."""

from flytekit import kwtypes, workflow
from flytekit.types.structured import StructuredDataset
from flytekitplugins.bigquery import BigQueryConfig, BigQueryTask

query = BigQueryTask(
    name="trips",
    query_template="SELECT * FROM trips WHERE day = @day",
    inputs=kwtypes(day=str),
    task_config=BigQueryConfig(ProjectID="flights"),
    output_structured_dataset_type=StructuredDataset,
)


@workflow
def queried(day: str) -> StructuredDataset:
    return query(day=day)


ENTITY = queried
