"""A workflow that hands its input on, and one output given twice."""

from flytekit import task, workflow


@task
def inc(x: int) -> int:
    return x + 1


@workflow
def pass_through(x: int, y: str) -> tuple[str, int, int]:
    up = inc(x=x)
    return y, up, up


ENTITY = pass_through
INPUTS = {"x": 1, "y": "same"}
EXPECTED = ("same", 2, 2)
