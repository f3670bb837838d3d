"""A data set of Hugging Face handed on, and read as a frame of pandas."""

import datasets
import pandas as pd
from flytekit import task, workflow


@task
def make(count: int) -> datasets.Dataset:
    return datasets.Dataset.from_dict({"text": ["a" * n for n in range(count)]})


@task
def sizes(data: datasets.Dataset) -> datasets.Dataset:
    return data.map(lambda row: {"size": len(row["text"])})


@task
def total(frame: pd.DataFrame) -> int:
    return int(frame["size"].sum())


@workflow
def measured(count: int) -> int:
    return total(frame=sizes(data=make(count=count)))


ENTITY = measured
INPUTS = {"count": 4}
EXPECTED = 0 + 1 + 2 + 3
