"""A call of SageMaker."""

from flytekit import kwtypes, workflow
from flytekitplugins.awssagemaker_inference import BotoConfig, BotoTask

import flytenb

create_model = BotoTask(
    name="create_model",
    task_config=BotoConfig(
        service="sagemaker",
        method="create_model",
        config={"ModelName": "{inputs.name}", "ExecutionRoleArn": "{inputs.role}"},
        region="us-east-2",
    ),
    inputs=kwtypes(name=str, role=str),
)


@workflow
def deployed(name: str, role: str) -> None:
    create_model(name=name, role=role)


def check(rehearsal: flytenb.Rehearsal) -> None:
    (request,) = rehearsal.requests
    assert request.call["config"] == {"ModelName": "m", "ExecutionRoleArn": "r"}


ENTITY = deployed
INPUTS = {"name": "m", "role": "r"}
ANSWER = {"result": {"ModelArn": "arn"}, "idempotence_token": "token"}
