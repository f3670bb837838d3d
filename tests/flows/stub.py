"""A sketch: tasks whose bodies are still to be written."""

from flytekit import task, workflow


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@task
def save(x: int) -> None:
    """Save the total."""
    raise NotImplementedError("not yet")


@task
def publish(x: int) -> None: ...


@workflow
def stub(xs: list[int]) -> int:
    found = total(xs=xs)
    save(x=found)
    publish(x=found)
    return found


ENTITY = stub
INPUTS = {"xs": [1, 2]}
RAISES = (NotImplementedError, "")
