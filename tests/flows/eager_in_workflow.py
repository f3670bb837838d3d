"""An eager task as a node of a workflow, between two tasks."""

from flytekit import eager, task, workflow
from flytekit.core.node_creation import create_node


@task
def inc(x: int) -> int:
    return x + 1


@eager
async def countdown(x: int) -> list[int]:
    found = []
    while x > 0:
        found.append(x)
        x = inc(x=x - 2)
    return found


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@workflow
def eager_in_workflow(x: int) -> int:
    found = create_node(countdown, x=inc(x=x))
    return total(xs=found.o0)


ENTITY = eager_in_workflow
INPUTS = {"x": 2}
EXPECTED = 6
FLYTEKIT_LOCAL = "create_node unpacks the coroutine that the eager task gave it"
