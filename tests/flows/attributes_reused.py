"""The same part of an output, kept in a variable and used twice."""

from dataclasses import dataclass

from flytekit import task, workflow


@dataclass
class Pair:
    items: list[int]


@task
def make(x: int) -> Pair:
    return Pair(items=[x, x + 1])


@task
def inc(x: int) -> int:
    return x + 1


@workflow
def attributes_reused(x: int) -> tuple[int, int]:
    part = make(x=x).items[0]
    return inc(x=part), inc(x=part)


ENTITY = attributes_reused
INPUTS = {"x": 3}
EXPECTED = (4, 4)
FLYTEKIT_LOCAL = "a promise that has been resolved once is resolved again, with the path that it has already walked"
