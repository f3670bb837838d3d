"""A task that a connector runs as a job of PERIAN."""

from flytekit import task, workflow
from flytekitplugins.perian_job import PerianConfig

from tests.plugins.templates import template_of


@task(task_config=PerianConfig(cores=2, memory="8"))
def double(n: int) -> int:
    return 2 * n


@workflow
def doubled(n: int) -> int:
    return double(n=double(n=n))


def check(run) -> None:
    assert run.result == 12
    template = template_of(double)
    assert template.custom["cores"] == 2


ENTITY = doubled
INPUTS = {"n": 3}
