"""A task that a connector runs on Memory Machine Cloud."""

from flytekit import task, workflow
from flytekitplugins.mmcloud import MMCloudConfig

import flytenb


@task(task_config=MMCloudConfig(submit_extra="--migratePolicy [enable=true]"))
def double(n: int) -> int:
    return 2 * n


@workflow
def doubled(n: int) -> int:
    return double(n=double(n=n))


def check(rehearsal: flytenb.Rehearsal) -> None:
    assert len(rehearsal.requests) == 2
    assert rehearsal.requests[0].custom["submit_extra"] == "--migratePolicy [enable=true]"
    assert rehearsal.result == 12


ENTITY = doubled
INPUTS = {"n": 3}
ANSWER = 12
