"""A call of SageMaker."""

from flytekit import kwtypes, workflow
from flytekitplugins.awssagemaker_inference import BotoConfig, BotoTask

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


ENTITY = deployed
