"""Three tasks in a row."""

from flytekit import task, workflow


@task
def generate(num: int) -> list[int]:
    return list(range(num))


@task
def double(xs: list[int]) -> list[int]:
    return [2 * x for x in xs]


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@workflow
def chain(num: int) -> int:
    return total(xs=double(xs=generate(num=num)))


ENTITY = chain
INPUTS = {"num": 5}
EXPECTED = 20
