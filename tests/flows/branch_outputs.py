"""Cases with several outputs by name, of which only the common ones are the conditional's."""

from typing import NamedTuple

from flytekit import conditional, task, workflow


class Both(NamedTuple):
    mean: float
    count: int


@task
def careful(xs: list[float]) -> Both:
    return Both(mean=sum(xs) / len(xs), count=len(xs))


@task
def quick(xs: list[float]) -> Both:
    return Both(mean=xs[0], count=1)


@task
def tell(mean: float, count: int) -> str:
    return f"{mean} of {count}"


@workflow
def branch_outputs(xs: list[float], fast: bool) -> str:
    found = conditional("how").if_(fast.is_true()).then(quick(xs=xs)).else_().then(careful(xs=xs))
    return tell(mean=found.mean, count=found.count)


ENTITY = branch_outputs
INPUTS = {"xs": [1.0, 3.0], "fast": False}
EXPECTED = "2.0 of 2"
