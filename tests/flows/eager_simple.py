"""An eager task: plain Python that awaits its tasks, one after the other and together."""

import asyncio

from flytekit import eager, task


@task
async def inc(x: int) -> int:
    return x + 1


@task
def double(x: int) -> int:
    return 2 * x


@eager
async def eager_simple(n: int) -> int:
    first, second = await asyncio.gather(inc(x=n), inc(x=n + 1))
    if first > 3:
        return double(x=first)
    return double(x=second)


ENTITY = eager_simple
INPUTS = {"n": 2}
EXPECTED = 8
