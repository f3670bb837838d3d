"""A task with the configuration of an MPI job; its function runs here."""

from flytekit import task, workflow
from flytekitplugins.kfmpi import Launcher, MPIJob, Worker

from tests.plugins.templates import template_of


@task(task_config=MPIJob(worker=Worker(replicas=2), launcher=Launcher(replicas=1)))
def double(n: int) -> int:
    return 2 * n


@workflow
def doubled(n: int) -> int:
    return double(n=double(n=n))


def check(run) -> None:
    assert run.result == 12
    template = template_of(double)
    assert template.type == "mpi"
    assert template.custom["workerReplicas"]["replicas"] == 2
    assert template.container.args[0] == "mpirun"


ENTITY = doubled
INPUTS = {"n": 3}
