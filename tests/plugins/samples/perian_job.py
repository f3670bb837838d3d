"""A task that a connector runs as a job of PERIAN."""

from flytekit import task, workflow
from flytekitplugins.perian_job import PerianConfig

import flytenb


@task(task_config=PerianConfig(cores=2, memory="8"))
def double(n: int) -> int:
    return 2 * n


@workflow
def doubled(n: int) -> int:
    return double(n=double(n=n))


def check(rehearsal: flytenb.Rehearsal) -> None:
    assert len(rehearsal.requests) == 2
    assert rehearsal.requests[0].custom["cores"] == 2
    assert rehearsal.result == 12


ENTITY = doubled
INPUTS = {"n": 3}
ANSWER = 12
