"""A task that a connector runs on Memory Machine Cloud."""

from flytekit import task, workflow
from flytekitplugins.mmcloud import MMCloudConfig

from tests.plugins.templates import template_of


@task(task_config=MMCloudConfig(submit_extra="--migratePolicy [enable=true]"))
def double(n: int) -> int:
    return 2 * n


@workflow
def doubled(n: int) -> int:
    return double(n=double(n=n))


def check(run) -> None:
    assert run.result == 12
    assert template_of(double).custom["submit_extra"] == "--migratePolicy [enable=true]"


ENTITY = doubled
INPUTS = {"n": 3}
