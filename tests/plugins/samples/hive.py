"""A query of Hive."""

import pandas as pd
from flytekit import kwtypes, workflow
from flytekit.types.schema import FlyteSchema
from flytekitplugins.hive import HiveConfig, HiveSelectTask

import flytenb

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


def check(rehearsal: flytenb.Rehearsal) -> None:
    (request,) = rehearsal.requests
    assert "WHERE day = 'monday'" in request.sql
    assert rehearsal.result.open(pd.DataFrame).all()["n"].tolist() == [1, 2]


ENTITY = queried
INPUTS = {"day": "monday"}
ANSWER = pd.DataFrame({"n": [1, 2]})
