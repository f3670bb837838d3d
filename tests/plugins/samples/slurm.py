"""A task that a connector runs with Slurm."""

from flytekit import task, workflow
from flytekitplugins.slurm import SlurmFunctionConfig

from tests.plugins.templates import template_of


@task(
    task_config=SlurmFunctionConfig(ssh_config={"host": "h"}, sbatch_config={"partition": "debug"}, script="{task.fn}")
)
def double(n: int) -> int:
    return 2 * n


@workflow
def doubled(n: int) -> int:
    return double(n=double(n=n))


def check(run) -> None:
    assert run.result == 12
    template = template_of(double)
    assert template.custom["sbatch_config"]["partition"] == "debug"


ENTITY = doubled
INPUTS = {"n": 3}
