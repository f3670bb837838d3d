"""A task with the configuration of a PyTorch job; its function runs here."""

from flytekit import task, workflow
from flytekitplugins.kfpytorch import PyTorch, Worker

from tests.plugins.templates import template_of


@task(task_config=PyTorch(worker=Worker(replicas=2)))
def double(n: int) -> int:
    return 2 * n


@workflow
def doubled(n: int) -> int:
    return double(n=double(n=n))


def check(run) -> None:
    assert run.result == 12
    template = template_of(double)
    assert template.type == "pytorch"
    assert template.custom["workerReplicas"]["replicas"] == 2


ENTITY = doubled
INPUTS = {"n": 3}
