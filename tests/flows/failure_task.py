"""A workflow that fails, with a task that handles the failure."""

from flytekit import task, workflow
from flytekit.types.error import FlyteError


@task
def create(name: str) -> str:
    return f"cluster {name}"


@task
def work(cluster: str) -> int:
    if cluster:
        raise RuntimeError(f"{cluster} is gone")
    return 0


@task
def clean_up(name: str, err: FlyteError | None = None) -> None:
    print(f"cleaning {name}")


@workflow(on_failure=clean_up)
def failure_task(name: str) -> int:
    return work(cluster=create(name=name))


ENTITY = failure_task
INPUTS = {"name": "blue"}
RAISES = (RuntimeError, "cluster blue is gone")
