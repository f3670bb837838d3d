"""Two conditionals of the same name in one workflow, the second over what the first gave."""

from flytekit import conditional, task, workflow


@task
def half(x: int) -> int:
    return x // 2


@task
def triple(x: int) -> int:
    return 3 * x + 1


@task
def rest(x: int) -> int:
    return x % 2


@workflow
def branch_in_loop(x: int) -> int:
    for _ in range(3):
        parity = rest(x=x)
        x = conditional("collatz").if_(parity == 0).then(half(x=x)).else_().then(triple(x=x))
    return x


ENTITY = branch_in_loop
INPUTS = {"x": 6}
EXPECTED = 5
