"""A task with the configuration of a Dask cluster; here its function computes with dask itself."""

import dask
from flytekit import Resources, task, workflow
from flytekitplugins.dask import Dask, Scheduler, WorkerGroup

from tests.plugins.templates import template_of


@task(task_config=Dask(scheduler=Scheduler(limits=Resources(cpu="1")), workers=WorkerGroup(number_of_workers=3)))
def squares(count: int) -> int:
    parts = [dask.delayed(pow)(n, 2) for n in range(count)]
    return dask.delayed(sum)(parts).compute(scheduler="threads")


@workflow
def computed(count: int) -> int:
    return squares(count=count)


def check(run) -> None:
    assert run.result == 0 + 1 + 4 + 9
    assert template_of(squares).custom["workers"]["numberOfWorkers"] == 3


ENTITY = computed
INPUTS = {"count": 4}
