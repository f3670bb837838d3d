"""A task that a service runs, known by its statement and its interface: only an answer can take its place here."""

import pandas as pd
from flytekit import StructuredDataset, kwtypes, task, workflow

from tests.backends.tasks import QueryTask

query = QueryTask("query", "SELECT units FROM sales WHERE units > %(n)s", inputs=kwtypes(n=int))


@task
def total(sales: pd.DataFrame) -> int:
    return int(sales["units"].sum())


@workflow
def backend(n: int) -> int:
    return total(sales=query(n=n))


def answer(n: int) -> StructuredDataset:
    return StructuredDataset(dataframe=pd.DataFrame({"units": [n + 1, n + 2]}))


ENTITY = backend
INPUTS = {"n": 3}
EXPECTED = 9
NEEDS = {"stand_in"}
STAND_INS = ((query, answer),)
FLYTEKIT_LOCAL = "a connector's task can't run without the connector"
