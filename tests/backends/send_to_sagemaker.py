"""The SageMaker plugin against moto's server: what is rehearsed, and what the server got. Prints JSON.

Run in an environment with flytekitplugins-awssagemaker and moto[server].
"""

from __future__ import annotations

import json
import os
import urllib.request
from base64 import b64decode
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from flytekit import kwtypes, task, workflow
from flytekitplugins.awssagemaker_inference import (
    SageMakerDeleteEndpointTask,
    SageMakerEndpointConfigTask,
    SageMakerEndpointTask,
    SageMakerModelTask,
)
from flytekitplugins.awssagemaker_training import SageMakerTraining, SageMakerTrainingJobTask
from moto.server import ThreadedMotoServer

import flytenb

ROLE = "arn:aws:iam::123456789012:role/sagemaker"

model = SageMakerModelTask(
    name="model",
    config={
        "ModelName": "model-{idempotence_token}",
        "PrimaryContainer": {"Image": "{images.main}", "ModelDataUrl": "{inputs.path}"},
        "ExecutionRoleArn": "{inputs.role}",
    },
    images={"main": "repository/image:1"},
    region="us-east-1",
    inputs=kwtypes(path=str, role=str),
)
endpoint_config = SageMakerEndpointConfigTask(
    name="endpoint config",
    config={
        "EndpointConfigName": "{inputs.name}",
        "ProductionVariants": [
            {
                "VariantName": "only",
                "ModelName": "model-{inputs.token}",
                "InitialInstanceCount": 1,
                "InstanceType": "ml.m5.large",
            }
        ],
    },
    region="us-east-1",
    inputs=kwtypes(name=str, token=str),
)
endpoint = SageMakerEndpointTask(
    name="endpoint",
    config={"EndpointName": "{inputs.name}", "EndpointConfigName": "{inputs.name}"},
    region="us-east-1",
    inputs=kwtypes(name=str),
)
delete = SageMakerDeleteEndpointTask(
    name="delete", config={"EndpointName": "{inputs.name}"}, region="us-east-1", inputs=kwtypes(name=str)
)
train = SageMakerTrainingJobTask(
    name="train",
    config={
        "TrainingJobName": "{inputs.name}",
        "AlgorithmSpecification": {"TrainingImage": "{images.main}", "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "ResourceConfig": {"InstanceCount": 1.0, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "HyperParameters": {"rounds": "{inputs.rounds}"},
    },
    images={"main": "repository/image:1"},
    region="us-east-1",
    inputs=kwtypes(name=str, rounds=str),
)


@task(
    task_config=SageMakerTraining(execution_role_arn=ROLE, region="us-east-1", output_s3_path="s3://bucket/out"),
    container_image="repository/image:1",
)
def fit(rounds: int) -> float:
    return rounds / 2


@workflow
def deploy(name: str, path: str) -> dict:
    job = train(name=name, rounds="3")
    _, token = model(path=path, role=ROLE)
    _, configured = endpoint_config(name=name, token=token)
    made = endpoint(name=name)
    _, removed = delete(name=name)
    job >> configured >> made >> removed
    return made


ANSWERS = {
    "train": {"result": {}},
    "model": {"result": {}, "idempotence_token": "5656d9ad52042ef5"},
    "endpoint config": {"result": {}, "idempotence_token": ""},
    "endpoint": {"result": {}},
    "delete": {"result": {}, "idempotence_token": ""},
}


def fetch(url: str, method: str = "GET") -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, method=method)) as answer:
        return bytes(answer.read())


def calls_of(recording: bytes) -> list[dict[str, Any]]:
    """Return the changes that the server was asked for."""
    found = [json.loads(line) for line in recording.decode().splitlines()]
    calls = [(call["headers"].get("X-Amz-Target", "Describe").removeprefix("SageMaker."), call) for call in found]
    return [
        {"method": method, "config": json.loads(b64decode(call["body"]))}
        for method, call in calls
        if not method.startswith("Describe")
    ]


def main() -> dict[str, Any]:
    os.environ["MOTO_RECORDER_FILEPATH"] = str(Path(mkdtemp()) / "recording")
    server = ThreadedMotoServer(port=0)
    server.start()
    _, port = server.get_host_and_port()
    url = f"http://127.0.0.1:{port}"
    os.environ |= {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    fetch(f"{url}/moto-api/recorder/start-recording", "POST")
    results, rehearsed = [], []
    for name in ("first", "second"):  # the second run must not repeat the first one's names
        run = flytenb.run(deploy, name=name, path=f"s3://bucket/{name}.tar.gz")
        results.append(run.result)
        ANSWERS["model"]["idempotence_token"] = run.nodes["model"].outputs["idempotence_token"]
        rehearsal = flytenb.rehearse(deploy, name=name, path=f"s3://bucket/{name}.tar.gz", with_=ANSWERS)
        rehearsed += [request.to_dict()["call"] for request in rehearsal.requests]
    failed = flytenb.start(fit, rounds=3).wait()
    fetch(f"{url}/moto-api/recorder/stop-recording", "POST")
    sent = calls_of(fetch(f"{url}/moto-api/recorder/download-recording"))
    server.stop()
    fitted = flytenb.rehearse(fit, rounds=3, with_={SageMakerTraining: 1.5})
    return {
        "rehearsed": rehearsed,
        "sent": sent[:-1],
        "results": results,
        "rehearsed_function": fitted.requests[0].to_dict()["call"]["config"],
        "sent_function": sent[-1]["config"],
        "why": str(failed.error),
    }


if __name__ == "__main__":
    with redirect_stdout(StringIO()):
        found = main()
    print(json.dumps(found))
