"""A conditional whose last case fails, and isn't taken."""

from flytekit import conditional, task, workflow


@task
def root(x: float) -> float:
    return x**0.5


@workflow
def branch_fail(x: float) -> float:
    return conditional("domain").if_(x >= 0.0).then(root(x=x)).else_().fail("x must not be negative")


ENTITY = branch_fail
INPUTS = {"x": 9.0}
EXPECTED = 3.0
