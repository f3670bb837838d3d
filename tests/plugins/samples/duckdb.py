"""A query with a parameter over a frame that another task has made."""

import pandas as pd
from flytekit import kwtypes, task, workflow
from flytekit.types.structured import StructuredDataset
from flytekitplugins.duckdb import DuckDBQuery


@task
def rides(count: int) -> pd.DataFrame:
    return pd.DataFrame({"city": ["Bern", "Oslo"] * count, "fare": range(2 * count)})


by_city = DuckDBQuery(
    name="by_city",
    query="SELECT city, SUM(fare)::BIGINT AS fares FROM frame WHERE fare > ? GROUP BY city ORDER BY city",
    inputs=kwtypes(frame=StructuredDataset, params=list[int]),
)


@task
def pairs(frame: pd.DataFrame) -> dict[str, int]:
    return dict(zip(frame["city"], frame["fares"].tolist(), strict=True))


@workflow
def query(count: int, above: list[int]) -> dict[str, int]:
    return pairs(frame=by_city(frame=rides(count=count), params=above))


ENTITY = query
INPUTS = {"count": 3, "above": [1]}
EXPECTED = {"Bern": 2 + 4, "Oslo": 3 + 5}
