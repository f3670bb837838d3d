"""Inputs that may be None or one of several types."""

from flytekit import task, workflow


@task
def find(key: str) -> int | None:
    return {"a": 1}.get(key)


@task
def tell(found: int | None, other: str | float, more: int | None = None) -> str:
    return f"{found} {other} {more}"


@workflow
def optional_union(other: str | float, more: int | None = None) -> tuple[str, str]:
    return tell(found=find(key="a"), other=other, more=more), tell(found=find(key="b"), other="x", more=5)


ENTITY = optional_union
INPUTS = {"other": 0.5}
EXPECTED = ("1 0.5 None", "None x 5")
