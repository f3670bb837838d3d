"""Cases that take what nodes outside the conditional gave, and a condition over such a node's output."""

from flytekit import conditional, task, workflow


@task
def load(n: int) -> list[int]:
    return list(range(n))


@task
def count(xs: list[int]) -> int:
    return len(xs)


@task
def first(xs: list[int], n: int) -> int:
    return xs[0] + n


@task
def last(xs: list[int], n: int) -> int:
    return xs[-1] + n


@workflow
def branch_outer_data(n: int) -> int:
    xs = load(n=n)
    size = count(xs=xs)
    return conditional("long").if_(size > 3).then(last(xs=xs, n=size)).else_().then(first(xs=xs, n=n))


ENTITY = branch_outer_data
INPUTS = {"n": 5}
EXPECTED = 9
