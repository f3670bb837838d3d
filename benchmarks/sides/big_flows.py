"""The workloads with big values: tasks that change what they got, so that only isolation keeps the answers right."""

from __future__ import annotations

import numpy as np
import pandas as pd
from flytekit import task, workflow
from flytekit.core.workflow import WorkflowBase

COLUMNS = ["a", "b", "c", "d"]


def make_frame(rows: int) -> pd.DataFrame:
    return pd.DataFrame(np.ones((rows, 4)), columns=COLUMNS)


def make_array(length: int) -> np.ndarray:
    return np.ones(length)


@task
def bump_frame(frame: pd.DataFrame) -> pd.DataFrame:
    frame.iloc[0, 0] += 1
    return frame


@task
def read_frame(frame: pd.DataFrame) -> float:
    return float(frame.iloc[0, 0])


@workflow
def frame_through(frame: pd.DataFrame) -> float:
    for _ in range(4):
        frame = bump_frame(frame=frame)
    return read_frame(frame=frame)


@task
def bump_array(array: np.ndarray) -> np.ndarray:
    array[0] += 1
    return array


@task
def read_array(array: np.ndarray) -> float:
    return float(array[0])


@workflow
def array_through(array: np.ndarray) -> float:
    for _ in range(4):
        array = bump_array(array=array)
    return read_array(array=array)


@task(cache=True, cache_version="1")
def rows_of(frame: pd.DataFrame) -> int:
    return len(frame)


@task
def full_array(number: int, items: int) -> np.ndarray:
    return np.full(items, float(number))


def many_arrays(count: int, items: int) -> WorkflowBase:
    """A workflow whose nodes make an array each."""

    def arrays() -> None:
        for number in range(count):
            full_array(number=number, items=items)

    made: WorkflowBase = workflow(arrays)
    return made
