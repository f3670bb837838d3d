"""Named outputs of a task and of a workflow."""

from typing import NamedTuple

from flytekit import task, workflow


class Stats(NamedTuple):
    mean: float
    count: int


class Report(NamedTuple):
    text: str
    mean: float


@task
def measure(xs: list[float]) -> Stats:
    return Stats(mean=sum(xs) / len(xs), count=len(xs))


@task
def tell(mean: float, count: int) -> str:
    return f"{count} values, {mean:.1f} on average"


@workflow
def named_tuples(xs: list[float]) -> Report:
    stats = measure(xs=xs)
    return Report(text=tell(mean=stats.mean, count=stats.count), mean=stats.mean)


ENTITY = named_tuples
INPUTS = {"xs": [1.0, 2.0, 6.0]}
EXPECTED = ("3 values, 3.0 on average", 3.0)
