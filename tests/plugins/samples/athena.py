"""A query of Athena."""

import pandas as pd
from flytekit import kwtypes, workflow
from flytekit.types.structured import StructuredDataset
from flytekitplugins.athena import AthenaConfig, AthenaTask

import flytenb

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


def check(rehearsal: flytenb.Rehearsal) -> None:
    (request,) = rehearsal.requests
    assert request.sql == "SELECT * FROM trips WHERE day = 'monday'"
    assert request.custom["schema"] == "flights"
    assert rehearsal.result.open(pd.DataFrame).all()["n"].tolist() == [1, 2]


ENTITY = queried
INPUTS = {"day": "monday"}
ANSWER = pd.DataFrame({"n": [1, 2]})
