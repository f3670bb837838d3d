"""A task with a pod of its own; its function runs here."""

from flytekit import task, workflow
from flytekitplugins.pod import Pod
from kubernetes.client import V1Container, V1PodSpec

from tests.plugins.templates import template_of

POD = V1PodSpec(containers=[V1Container(name="main"), V1Container(name="log")])


@task(task_config=Pod(pod_spec=POD, primary_container_name="main"))
def double(n: int) -> int:
    return 2 * n


@workflow
def doubled(n: int) -> int:
    return double(n=double(n=n))


def check(run) -> None:
    assert run.result == 12
    template = template_of(double)
    names = [container["name"] for container in template.k8s_pod.pod_spec["containers"]]
    assert names == ["main", "log"]


ENTITY = doubled
INPUTS = {"n": 3}
