"""A named tuple with one field, which flytekit keeps as a tuple of one."""

from typing import NamedTuple

from flytekit import task, workflow


class Only(NamedTuple):
    value: int


@task
def make(x: int) -> Only:
    return Only(value=x + 1)


@task
def inc(x: int) -> int:
    return x + 1


@workflow
def single_field(x: int) -> Only:
    return Only(value=inc(x=make(x=x).value))


ENTITY = single_field
INPUTS = {"x": 1}
EXPECTED = (3,)
