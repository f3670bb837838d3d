"""A workflow and a task without inputs."""

from flytekit import task, workflow


@task
def answer() -> int:
    return 42


@workflow
def no_inputs() -> int:
    return answer()


ENTITY = no_inputs
INPUTS = {}
EXPECTED = 42
