"""Workflows that a test can hold where they are, to look at a run that stands still."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pandas as pd
from flyteidl.core.execution_pb2 import TaskExecution, TaskLog
from flytekit import (
    WorkflowFailurePolicy,
    approve,
    conditional,
    dynamic,
    eager,
    map_task,
    task,
    wait_for_input,
    workflow,
)
from flytekit.core.base_task import PythonTask
from flytekit.core.interface import Interface
from flytekit.core.node_creation import create_node
from flytekit.extend.backend.base_connector import (
    AsyncConnectorBase,
    AsyncConnectorExecutorMixin,
    ConnectorRegistry,
    Resource,
    ResourceMeta,
)

from tests.browser.alone import Latch

HOSTILE = (
    '</text><script>window.hacked = 1</script><img src=x onerror=window.hacked=1> & "quotes" \' \x1b[31m \u202e 🙂'
)
latch = Latch()
first_latch = Latch()


@dataclass
class Point:
    x: float
    label: str


@task
def load(n: int) -> list[Point]:
    print(f"loading {n}", HOSTILE)
    return [Point(float(i), HOSTILE) for i in range(n)]


@task
def held(points: list[Point]) -> int:
    print("held")
    latch.wait()
    print("let go")
    return len(points)


@task
def failing(points: list[Point]) -> int:
    if points:
        raise ValueError(f"can't: {HOSTILE}")
    return 0


@task
def small(n: int) -> str:
    return HOSTILE


@task
def large(n: int) -> str:
    return "large"


@workflow
def inner(points: list[Point]) -> int:
    return held(points=points)


@workflow(failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
def mixed(n: int = 3) -> str:
    points = load(n=n)
    failing(points=points)
    count = inner(points=points)
    return conditional("size").if_(count > 10).then(large(n=count)).else_().then(small(n=count))


@workflow
def asks() -> int:
    limit = wait_for_input("limit", timeout=timedelta(hours=1), expected_type=int)
    return same(x=approve(limit, "sure", timeout=timedelta(hours=1)))


@task
def reads() -> pd.DataFrame:
    return pd.DataFrame({"gene": ["BRCA1", "TP53"], "reads": [3, 4]})


@workflow
def reviewed() -> pd.DataFrame:
    return approve(reads(), "coverage_ok", timeout=timedelta(hours=1))


@task
def same(x: int) -> int:
    return x


@task
def held_same(x: int) -> int:
    latch.wait()
    return x


@dynamic
def grows(n: int) -> int:
    x = 0
    for _ in range(n):
        x = held_same(x=x)
    return x


@task
def step(x: int) -> int:
    (latch if x else first_latch).wait()
    return x + 1


@eager
async def steps(n: int) -> int:
    x = 0
    for _ in range(n):
        x = step(x=x)
    return x


@workflow
def growing_beside(n: int = 3) -> int:
    grown = create_node(steps, n=same(x=n))
    return same(x=grown.o0)


@workflow
def growing(n: int = 3) -> int:
    return grows(n=n)


@workflow
def mapped(xs: list[int]) -> list[int]:
    return map_task(held_same)(x=xs)


@task
def print_lines(n: int) -> None:
    for line in range(n):
        print(line)


@workflow
def talkative(n: int) -> None:
    print_lines(n=n)


@task
def held_odd(x: int) -> int:
    if x % 2:
        latch.wait()
    return x


@workflow
def mapped_part(xs: list[int]) -> list[int]:
    return map_task(held_odd)(x=xs)


@workflow
def wide(x: int = 1) -> int:
    last = x
    for _ in range(999):
        last = held_same(x=x)
    return last


@task
def measure(n: int) -> list[Point]:
    return [Point(i / 4, f"point {i}") for i in range(n)]


@task(retries=2)
def clean(points: list[Point]) -> list[Point]:
    print(f"{len(points)} points, none dropped")
    return points


@task
def fit(points: list[Point]) -> int:
    latch.wait()
    return len(points)


@workflow
def model(points: list[Point]) -> int:
    return fit(points=points)


@task
def report(count: int, limit: int) -> str:
    return f"{count} of {limit}"


@workflow
def survey(n: int = 8) -> str:
    points = clean(points=measure(n=n))
    limit = wait_for_input("limit", timeout=timedelta(hours=1), expected_type=int)
    return report(count=model(points=points), limit=limit)


@dataclass
class Ticket(ResourceMeta):
    """Nothing is needed to find the job again."""


class Asked(AsyncConnectorBase):
    """A service with one job, which runs until the latch opens; only one of its links is an address of the web."""

    name = "asked"

    def __init__(self) -> None:
        super().__init__(task_type_name="asked", metadata_type=Ticket)

    async def create(self, **_: Any) -> Ticket:
        return Ticket()

    async def get(self, resource_meta: Ticket) -> Resource:
        links = [
            TaskLog(name="<b>console", uri="https://service.example/?a=%22"),
            TaskLog(name="hidden", uri="javascript:window.hacked=1"),
        ]
        phase = TaskExecution.SUCCEEDED if latch.is_open else TaskExecution.RUNNING
        return Resource(phase=phase, log_links=links)

    async def delete(self, resource_meta: Ticket) -> None:
        """Nothing goes on."""


class AskedTask(AsyncConnectorExecutorMixin, PythonTask[Any]):
    def __init__(self) -> None:
        super().__init__("asked", "asked", None, Interface())


ConnectorRegistry.register(Asked(), override=True)
asked = AskedTask()
