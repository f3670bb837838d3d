"""A condition over a field of a dataclass, and over one of two outputs."""

from dataclasses import dataclass

from flytekit import conditional, task, workflow


@dataclass
class Score:
    value: int
    name: str


@task
def rate(x: int) -> tuple[Score, int]:
    return Score(value=x * 2, name="twice"), x


@task
def tell(text: str, x: int) -> str:
    return f"{text} {x}"


@workflow
def branch_attribute(x: int) -> str:
    score, raw = rate(x=x)
    return (
        conditional("field")
        .if_(score.value > 10)
        .then(tell(text="high", x=raw))
        .elif_(raw > 3)
        .then(tell(text="middle", x=raw))
        .else_()
        .then(tell(text="low", x=raw))
    )


ENTITY = branch_attribute
INPUTS = {"x": 6}
EXPECTED = "high 6"
FLYTEKIT_LOCAL = "a condition compares a field of a dataclass before the field is taken out"
