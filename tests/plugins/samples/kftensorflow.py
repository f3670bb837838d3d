"""A task with the configuration of a TensorFlow job; its function runs here."""

from flytekit import task, workflow
from flytekitplugins.kftensorflow import PS, Chief, TfJob, Worker

from tests.plugins.templates import template_of


@task(task_config=TfJob(worker=Worker(replicas=2), ps=PS(replicas=1), chief=Chief(replicas=1)))
def double(n: int) -> int:
    return 2 * n


@workflow
def doubled(n: int) -> int:
    return double(n=double(n=n))


def check(run) -> None:
    assert run.result == 12
    template = template_of(double)
    assert template.type == "tensorflow"
    assert template.custom["workerReplicas"]["replicas"] == 2


ENTITY = doubled
INPUTS = {"n": 3}
