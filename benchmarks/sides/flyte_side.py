"""Flyte 2 running locally: plain Python calls between tasks instead of a compiled workflow."""

import asyncio
from typing import Any

import flyte
from serving import serve

flyte.init()
environment = flyte.TaskEnvironment(name="benchmarks")


@environment.task
async def add_one(x: int) -> int:
    return x + 1


@environment.task
async def nap(x: int) -> int:
    await asyncio.sleep(0.1)
    return 1


@environment.task
async def adds(size: int) -> int:
    x = 0
    for _ in range(size):
        x = await add_one(x)
    return x


@environment.task
async def naps(size: int) -> int:
    return sum(await asyncio.gather(*(nap(1) for _ in range(size))))


def local(task: Any, size: int) -> Any:
    return flyte.with_runcontext(mode="local").run(task, size).outputs()[0]


serve(chain=lambda size: lambda: local(adds, size), fan_out=lambda size: lambda: local(naps, size))
