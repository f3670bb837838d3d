"""A task beside a model server in its pod; here its function runs."""

from flytekit import task, workflow
from flytekitplugins.inference import Model, Ollama

from tests.plugins.templates import template_of

SERVER = Ollama(model=Model(name="phi"), mem="4Gi")


@task(pod_template=SERVER.pod_template)
def address(path: str) -> str:
    return f"{SERVER.base_url}/{path}"


@workflow
def asked(path: str) -> str:
    return address(path=path)


def check(run) -> None:
    assert run.result == "http://localhost:11434/v1"
    images = [each["image"] for each in template_of(address).k8s_pod.pod_spec["initContainers"]]
    assert "ollama/ollama" in images


ENTITY = asked
INPUTS = {"path": "v1"}
