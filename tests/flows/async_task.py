"""Async tasks in a plain workflow, which flytekit only takes through create_node."""

from flytekit import task, workflow
from flytekit.core.node_creation import create_node


@task
async def fetch(x: int) -> int:
    return x + 1


@task
async def fetch_two(x: int) -> tuple[int, str]:
    return x, str(x)


@workflow
def async_task(x: int) -> tuple[int, str]:
    one = create_node(fetch, x=x)
    two = create_node(fetch_two, x=one.o0)
    return one.o0, two.o1


ENTITY = async_task
INPUTS = {"x": 1}
EXPECTED = (2, "2")
FLYTEKIT_LOCAL = "create_node unpacks the coroutine that the async task gave it"
