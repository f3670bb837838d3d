"""A frame of Modin handed on."""

import os

os.environ.setdefault("MODIN_ENGINE", "python")

from flytekit import task, workflow
from flytekitplugins.modin import schema  # noqa: F401
from modin import pandas as pd


@task
def make(count: int) -> pd.DataFrame:
    return pd.DataFrame({"n": range(count)})


@task
def total(frame: pd.DataFrame) -> int:
    assert isinstance(frame, pd.DataFrame)
    return int(frame["n"].sum())


@workflow
def totals(count: int) -> int:
    return total(frame=make(count=count))


ENTITY = totals
INPUTS = {"count": 4}
EXPECTED = 0 + 1 + 2 + 3
