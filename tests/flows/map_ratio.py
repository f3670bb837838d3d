"""A map task that may miss some of its elements."""

from flytekit import map_task, task, workflow


@task
def invert(x: int) -> float:
    return 1 / x


@task
def present(values: list[float | None]) -> int:
    return len([v for v in values if v is not None])


@workflow
def map_ratio(xs: list[int]) -> int:
    return present(values=map_task(invert, min_success_ratio=0.5)(x=xs))


ENTITY = map_ratio
INPUTS = {"xs": [1, 0, 2, 4]}
EXPECTED = 3
