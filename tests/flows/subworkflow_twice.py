"""A subworkflow that is used twice and itself uses another twice: one entity, four places."""

from flytekit import task, workflow


@task
def inc(x: int) -> int:
    return x + 1


@task
def add(x: int, y: int) -> int:
    return x + y


@workflow
def leaf(x: int) -> int:
    return inc(x=inc(x=x))


@workflow
def middle(x: int) -> int:
    return add(x=leaf(x=x), y=leaf(x=10))


@workflow
def subworkflow_twice(x: int) -> int:
    return add(x=middle(x=x), y=middle(x=middle(x=0)))


ENTITY = subworkflow_twice
INPUTS = {"x": 1}
EXPECTED = 43
