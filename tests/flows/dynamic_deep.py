"""A conditional inside a subworkflow inside a dynamic task, beside a map task and another dynamic task."""

from flytekit import conditional, dynamic, map_task, task, workflow


@task
def inc(x: int) -> int:
    return x + 1


@task
def negate(x: int) -> int:
    return -x


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@workflow
def sign(x: int) -> int:
    return conditional("sign").if_(x > 1).then(inc(x=x)).else_().then(negate(x=x))


@dynamic
def again(n: int) -> int:
    return total(xs=[inc(x=i) for i in range(n)])


@dynamic
def spread(n: int) -> int:
    signs = [sign(x=i) for i in range(n)]
    mapped = map_task(inc)(x=[*signs, again(n=n)])
    return total(xs=mapped)


@workflow
def dynamic_deep(n: int) -> int:
    return spread(n=n)


ENTITY = dynamic_deep
INPUTS = {"n": 3}
EXPECTED = 12
