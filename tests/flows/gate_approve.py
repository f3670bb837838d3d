"""A gate that asks whether to go on with a value."""

from datetime import timedelta

from flytekit import approve, task, workflow


@task
def propose(x: int) -> int:
    return x * 2


@task
def publish(x: int) -> str:
    return f"published {x}"


@workflow
def gate_approve(x: int) -> str:
    proposed = propose(x=x)
    return publish(x=approve(proposed, "publish?", timeout=timedelta(hours=2)))


ENTITY = gate_approve
INPUTS = {"x": 4}
EXPECTED = "published 8"
NEEDS = {"answer"}
ANSWERS = {"n1": True}
