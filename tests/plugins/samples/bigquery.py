"""A query of BigQuery."""

import pandas as pd
from flytekit import kwtypes, workflow
from flytekit.types.structured import StructuredDataset
from flytekitplugins.bigquery import BigQueryConfig, BigQueryTask

import flytenb

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


def check(rehearsal: flytenb.Rehearsal) -> None:
    (request,) = rehearsal.requests
    assert request.sql == "SELECT * FROM trips WHERE day = @day"
    assert request.parameters == {"day": "monday"}
    assert rehearsal.result.open(pd.DataFrame).all()["n"].tolist() == [1, 2]


ENTITY = queried
INPUTS = {"day": "monday"}
ANSWER = pd.DataFrame({"n": [1, 2]})
