"""A query of Snowflake."""

import pandas as pd
from flytekit import kwtypes, workflow
from flytekit.types.structured import StructuredDataset
from flytekitplugins.snowflake import SnowflakeConfig, SnowflakeTask

import flytenb

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


def check(rehearsal: flytenb.Rehearsal) -> None:
    (request,) = rehearsal.requests
    assert request.sql == "SELECT * FROM trips WHERE day = %(day)s"
    assert request.parameters == {"day": "monday"}
    assert rehearsal.result.open(pd.DataFrame).all()["n"].tolist() == [1, 2]


ENTITY = queried
INPUTS = {"day": "monday"}
ANSWER = pd.DataFrame({"n": [1, 2]})
