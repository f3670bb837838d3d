"""A workflow inside a workflow, whose inputs and outputs have names of their own."""

from flytekit import task, workflow


@task
def inc(x: int) -> int:
    return x + 1


@task
def mul(x: int, y: int) -> int:
    return x * y


@workflow
def inner(a: int, b: int = 5) -> tuple[int, int]:
    up = inc(x=a)
    return mul(x=up, y=b), up


@workflow
def subworkflow(n: int) -> int:
    product, up = inner(a=n)
    return mul(x=product, y=up)


ENTITY = subworkflow
INPUTS = {"n": 2}
EXPECTED = 45
