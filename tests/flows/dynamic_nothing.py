"""A dynamic task that makes no node at all: it hands on what it was given."""

from flytekit import dynamic, task, workflow


@task
def inc(x: int) -> int:
    return x + 1


@dynamic
def maybe(n: int) -> int:
    if n < 10:
        return n
    return inc(x=n)


@workflow
def dynamic_nothing(n: int) -> int:
    return inc(x=maybe(n=n))


ENTITY = dynamic_nothing
INPUTS = {"n": 3}
EXPECTED = 4
