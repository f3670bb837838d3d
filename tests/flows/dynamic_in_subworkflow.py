"""A dynamic task inside a subworkflow, which is used twice."""

from flytekit import dynamic, task, workflow


@task
def double(x: int) -> int:
    return 2 * x


@dynamic
def power(x: int, n: int) -> int:
    for _ in range(n):
        x = double(x=x)
    return x


@workflow
def inner(x: int, n: int) -> int:
    return double(x=power(x=x, n=n))


@workflow
def dynamic_in_subworkflow(n: int) -> tuple[int, int]:
    return inner(x=1, n=n), inner(x=3, n=1)


ENTITY = dynamic_in_subworkflow
INPUTS = {"n": 3}
EXPECTED = (16, 12)
