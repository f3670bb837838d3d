"""An image whose build file envd would read."""

from pathlib import Path

from flytekit import ImageSpec, task, workflow
from flytekitplugins.envd.image_builder import create_envd_config

IMAGE = ImageSpec(name="flights", packages=["polars"], python_version="3.11", builder="envd", base_image="python:3.11")


@task(container_image=IMAGE)
def build_file(n: int) -> str:
    return Path(create_envd_config(IMAGE)).read_text()


@workflow
def built(n: int) -> str:
    return build_file(n=n)


def check(run) -> None:
    assert "def build():" in run.result
    assert "polars" in run.result


ENTITY = built
INPUTS = {"n": 1}
