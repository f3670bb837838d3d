"""A task that a connector runs with Slurm."""

from flytekit import task, workflow
from flytekitplugins.slurm import SlurmFunctionConfig

import flytenb


@task(
    task_config=SlurmFunctionConfig(ssh_config={"host": "h"}, sbatch_config={"partition": "debug"}, script="{task.fn}")
)
def double(n: int) -> int:
    return 2 * n


@workflow
def doubled(n: int) -> int:
    return double(n=double(n=n))


def check(rehearsal: flytenb.Rehearsal) -> None:
    assert len(rehearsal.requests) == 2
    assert rehearsal.requests[0].custom["sbatch_config"]["partition"] == "debug"
    assert rehearsal.result == 12


ENTITY = doubled
INPUTS = {"n": 3}
ANSWER = 12
