"""A DataFrame that is read as one, as a StructuredDataset and with only some of its columns."""

from typing import Annotated

import pandas as pd
from flytekit import StructuredDataset, kwtypes, task, workflow

Named = Annotated[StructuredDataset, kwtypes(name=str)]


@task
def make(n: int) -> pd.DataFrame:
    return pd.DataFrame({"name": [f"row {i}" for i in range(n)], "value": [i * 1.5 for i in range(n)]})


@task
def total(frame: pd.DataFrame) -> float:
    return float(frame["value"].sum())


@task
def names(data: Named) -> list[str]:
    return list(data.open(pd.DataFrame).all()["name"])


@workflow
def frames(n: int) -> tuple[float, list[str]]:
    frame = make(n=n)
    return total(frame=frame), names(data=frame)


ENTITY = frames
INPUTS = {"n": 3}
EXPECTED = (4.5, ["row 0", "row 1", "row 2"])
