"""A map task over a list, as many at once as it says."""

from flytekit import map_task, task, workflow


@task(retries=2)
def square(x: int) -> int:
    return x * x


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@workflow
def map_simple(xs: list[int]) -> int:
    return total(xs=map_task(square, concurrency=3)(x=xs))


ENTITY = map_simple
INPUTS = {"xs": [1, 2, 3]}
EXPECTED = 14
