"""An endpoint of DGX Cloud Lepton."""

from flytekit import workflow
from flytekitplugins.dgxc_lepton import (
    EndpointEngineConfig,
    LeptonEndpointConfig,
    ScalingConfig,
    lepton_endpoint_deployment_task,
)

import flytenb

CONFIG = LeptonEndpointConfig(
    endpoint_name="hello",
    resource_shape="cpu.small",
    node_group="team",
    endpoint_config=EndpointEngineConfig.custom(image="python:3.11-slim", command=["sleep", "1"], port=8080),
    api_token="TOKEN",
    scaling=ScalingConfig.traffic(min_replicas=1, max_replicas=1, timeout=1800),
)


@workflow
def deployed() -> str:
    return lepton_endpoint_deployment_task(config=CONFIG, task_name="hello")


def check(rehearsal: flytenb.Rehearsal) -> None:
    assert "hello" in str(rehearsal.requests[0].custom)
    assert rehearsal.result == "https://hello"


ENTITY = deployed
INPUTS = {}
ANSWER = "https://hello"
