"""A data service in a cluster of Kubernetes."""

from flytekit import Resources, kwtypes, workflow
from flytekitplugins.k8sdataservice.task import DataServiceConfig, DataServiceTask

import flytenb

serve = DataServiceTask(
    name="serve",
    inputs=kwtypes(day=str),
    task_config=DataServiceConfig(
        Name="graphs",
        Replicas=2,
        Image="image",
        Command=None,
        Cluster="grid",
        Requests=Resources(cpu="1", mem="2", gpu="1"),
        Limits=Resources(cpu="1", mem="2", gpu="1"),
        Port=1234,
    ),
)


@workflow
def served(day: str) -> None:
    serve(day=day)


def check(rehearsal: flytenb.Rehearsal) -> None:
    assert rehearsal.requests[0].custom["Replicas"] == 2


ENTITY = served
INPUTS = {"day": "monday"}
ANSWER = "graphs"
