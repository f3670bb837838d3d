"""A task with the configuration of AWS Batch; its function runs here."""

from flytekit import task, workflow
from flytekitplugins.awsbatch import AWSBatchConfig

from tests.plugins.templates import template_of


@task(task_config=AWSBatchConfig(parameters={"codec": "mp4"}, platformCapabilities="EC2"))
def double(n: int) -> int:
    return 2 * n


@workflow
def doubled(n: int) -> int:
    return double(n=double(n=n))


def check(run) -> None:
    assert run.result == 12
    template = template_of(double)
    assert template.type == "aws-batch"
    assert template.custom["parameters"]["codec"] == "mp4"


ENTITY = doubled
INPUTS = {"n": 3}
