"""Eager and lazy frames of polars handed on, and one read as a frame of pandas."""

from typing import Annotated

import pandas as pd
import polars as pl
from flytekit import kwtypes, task, workflow


@task
def numbers(count: int) -> pl.DataFrame:
    return pl.DataFrame({"n": range(count), "odd": [n % 2 == 1 for n in range(count)]})


@task
def odd(frame: pl.DataFrame) -> Annotated[pl.LazyFrame, kwtypes(n=int)]:
    return frame.lazy().filter(pl.col("odd")).select("n")


@task
def total(frame: pl.LazyFrame) -> int:
    return frame.collect()["n"].sum()


@task
def rows(frame: pd.DataFrame) -> int:
    return len(frame)


@workflow
def frames(count: int) -> tuple[int, int]:
    made = numbers(count=count)
    return total(frame=odd(frame=made)), rows(frame=made)


ENTITY = frames
INPUTS = {"count": 6}
EXPECTED = (1 + 3 + 5, 6)
