"""A conditional whose last case fails, and is taken."""

from flytekit import conditional, task, workflow


@task
def root(x: float) -> float:
    return x**0.5


@workflow
def branch_fails(x: float) -> float:
    return conditional("domain").if_(x >= 0.0).then(root(x=x)).else_().fail("x must not be negative")


ENTITY = branch_fails
INPUTS = {"x": -1.0}
RAISES = (ValueError, "x must not be negative")
