"""Parts of an output: a field of a dataclass, an element of a list, a key of a dict, and deeper."""

from dataclasses import dataclass

from flytekit import task, workflow


@dataclass
class Inner:
    items: list[int]


@dataclass
class Outer:
    label: str
    inner: Inner
    table: dict[str, int]


@task
def make(x: int) -> Outer:
    return Outer(label="made", inner=Inner(items=[x, x + 1]), table={"k k": x * 2})


@task
def make_list(x: int) -> list[dict[str, int]]:
    return [{"a": x}, {"a": x + 5}]


@task
def combine(label: str, item: int, value: int, last: int) -> str:
    return f"{label} {item} {value} {last}"


@workflow
def attributes(x: int) -> str:
    outer = make(x=x)
    found = make_list(x=x)
    return combine(label=outer.label, item=outer.inner.items[1], value=outer.table["k k"], last=found[1]["a"])


ENTITY = attributes
INPUTS = {"x": 3}
EXPECTED = "made 4 6 8"
