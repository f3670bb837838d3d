"""Many nodes of one task side by side, joined by one."""

from flytekit import task, workflow


@task
def work(i: int) -> int:
    return i * i


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@workflow
def fan_out(extra: int) -> int:
    return total(xs=[*(work(i=i) for i in range(12)), extra])


ENTITY = fan_out
INPUTS = {"extra": 1}
EXPECTED = 507
