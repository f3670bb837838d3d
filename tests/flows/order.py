"""Nodes that only wait for each other, written with >>, and one such wait beside a value."""

from flytekit import task, workflow


@task
def create(name: str) -> None:
    print(f"create {name}")


@task
def fill(name: str) -> int:
    return len(name)


@task
def check(size: int) -> bool:
    return size > 0


@task
def delete(name: str) -> None:
    print(f"delete {name}")


@workflow
def order(name: str) -> bool:
    created = create(name=name)
    filled = fill(name=name)
    checked = check(size=filled)
    deleted = delete(name=name)
    created >> filled
    filled >> checked
    filled >> deleted
    checked >> deleted
    return checked


ENTITY = order
INPUTS = {"name": "db"}
EXPECTED = True
