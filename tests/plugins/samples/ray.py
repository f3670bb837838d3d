"""Two tasks that don't wait for each other and compute on a local Ray cluster, which the plugin starts."""

import ray
from flytekit import task, workflow
from flytekitplugins.ray import HeadNodeConfig, RayJobConfig, WorkerNodeConfig

from tests.plugins.templates import template_of


@ray.remote
def square(n: int) -> int:
    return n * n


@task(
    task_config=RayJobConfig(
        head_node_config=HeadNodeConfig(), worker_node_config=[WorkerNodeConfig(group_name="w", replicas=2)]
    )
)
def squares(count: int) -> list[int]:
    return ray.get([square.remote(n) for n in range(count)])


@workflow
def computed(count: int) -> tuple[list[int], list[int]]:
    return squares(count=count), squares(count=2)


def check(run) -> None:
    assert run.result == ([0, 1, 4], [0, 1])
    assert template_of(squares).custom["rayCluster"]["workerGroupSpec"][0]["replicas"] == 2
    ray.shutdown()


ENTITY = computed
INPUTS = {"count": 3}
