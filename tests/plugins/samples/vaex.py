"""A frame of Vaex handed on."""

import vaex
from flytekit import task, workflow
from flytekit.types.structured import StructuredDataset


@task
def make(count: int) -> StructuredDataset:
    return StructuredDataset(dataframe=vaex.from_dict({"n": list(range(count))}))


@task
def total(frame: StructuredDataset) -> int:
    return int(frame.open(vaex.dataframe.DataFrameLocal).all().sum("n"))


@workflow
def totals(count: int) -> int:
    return total(frame=make(count=count))


ENTITY = totals
INPUTS = {"count": 4}
EXPECTED = 0 + 1 + 2 + 3
