"""Everything that with_overrides can say about a node."""

from datetime import timedelta

from flytekit import Cache, Resources, map_task, task, workflow
from flytekit.extras.accelerators import T4


@task(retries=1, timeout=timedelta(minutes=1), cache=Cache(version="1"), requests=Resources(cpu="1"))
def work(x: int) -> int:
    return x + 1


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@workflow
def overrides(x: int) -> int:
    a = work(x=x).with_overrides(
        node_name="first-step",
        name="the first step",
        retries=5,
        timeout=timedelta(seconds=90),
        interruptible=True,
        requests=Resources(cpu="2", mem="500Mi"),
        limits=Resources(cpu="4", mem="1Gi", gpu="1"),
        container_image="example.org/work:v2",
        cache=Cache(version="2", serialize=True),
        accelerator=T4,
    )
    b = work(x=a).with_overrides(cache=False, retries=0, timeout=None)
    mapped = map_task(work)(x=[a, b]).with_overrides(name="each", retries=3, requests=Resources(mem="1Gi"))
    return total(xs=mapped)


ENTITY = overrides
INPUTS = {"x": 1}
EXPECTED = 7
