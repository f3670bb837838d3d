"""A conditional over an answer that a person gives, with a dynamic task and a shell of a subworkflow in its cases."""

from datetime import timedelta

from flytekit import conditional, dynamic, task, wait_for_input, workflow


@task
def inc(x: int) -> int:
    return x + 1


@dynamic
def many(n: int) -> int:
    x = inc(x=0)
    for _ in range(n):
        x = inc(x=x)
    return x


@workflow
def twice(x: int) -> int:
    return inc(x=inc(x=x))


@workflow
def branch_with_gate(x: int) -> int:
    go = wait_for_input("go on", timeout=timedelta(hours=1), expected_type=bool)
    return conditional("asked").if_(go.is_true()).then(many(n=x)).else_().then(twice(x=x))


ENTITY = branch_with_gate
INPUTS = {"x": 3}
EXPECTED = 4
NEEDS = {"answer"}
ANSWERS = {"n0": True}
