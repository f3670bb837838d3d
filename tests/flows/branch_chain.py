"""A case of two nodes: the first stands only behind the second."""

from flytekit import conditional, task, workflow


@task
def inc(x: int) -> int:
    return x + 1


@task
def square(x: int) -> int:
    return x * x


@workflow
def branch_chain(x: int) -> int:
    return conditional("chain").if_(x > 2).then(square(x=inc(x=x))).else_().then(inc(x=0))


ENTITY = branch_chain
INPUTS = {"x": 3}
EXPECTED = 16
FLYTEKIT_IDL = "a case holds one node; the node before it is only named by its id"
