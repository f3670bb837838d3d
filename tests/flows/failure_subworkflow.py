"""A subworkflow with a failure handler of its own, which gets the error, inside a workflow without one."""

from flytekit import task, workflow
from flytekit.types.error import FlyteError


@task
def divide(x: int, y: int) -> float:
    return x / y


@task
def record(x: int, y: int, err: FlyteError | None = None) -> None:
    print(f"{x} / {y}: {err is not None}")


@workflow(on_failure=record)
def careful(x: int, y: int) -> float:
    return divide(x=x, y=y)


@workflow
def failure_subworkflow(x: int) -> float:
    return careful(x=x, y=0)


ENTITY = failure_subworkflow
INPUTS = {"x": 1}
RAISES = (ZeroDivisionError, "division by zero")
