"""A gate that waits for a value, beside a node that doesn't."""

from datetime import timedelta

from flytekit import task, wait_for_input, workflow


@task
def load() -> int:
    return 10


@task
def scale(x: int, factor: float) -> float:
    return x * factor


@workflow
def gate_input() -> float:
    factor = wait_for_input("factor", timeout=timedelta(minutes=30), expected_type=float)
    return scale(x=load(), factor=factor)


ENTITY = gate_input
INPUTS = {}
EXPECTED = 25.0
NEEDS = {"answer"}
ANSWERS = {"n0": 2.5}
