"""A dynamic task: how many nodes there are depends on its input."""

from flytekit import dynamic, task, workflow


@task
def inc(x: int) -> int:
    return x + 1


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@dynamic
def spread(n: int, start: int) -> int:
    """Make n nodes."""
    return total(xs=[*(inc(x=i) for i in range(n)), start])


@workflow
def dynamic_simple(n: int) -> int:
    return inc(x=spread(n=n, start=100))


ENTITY = dynamic_simple
INPUTS = {"n": 3}
EXPECTED = 107
