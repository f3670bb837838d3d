"""An eager task that awaits another, a workflow and a task that fails, and goes on."""

from flytekit import eager, task, workflow


@task
async def check(x: int) -> int:
    if x < 0:
        raise ValueError(f"{x} is negative")
    return x


@task
def add(x: int, y: int) -> int:
    return x + y


@workflow
def twice(x: int) -> int:
    return add(x=x, y=x)


@eager
async def inner(x: int) -> int:
    return twice(x=await check(x=x))


@eager
async def eager_nested(x: int) -> int:
    good = await inner(x=x)
    try:
        await check(x=-1)
    except Exception:
        return add(x=good, y=1000)
    return good


ENTITY = eager_nested
INPUTS = {"x": 4}
EXPECTED = 1008
