"""Conditions with brackets, texts, truth values, durations and two operands that are nodes of one name."""

import datetime

from flytekit import conditional, task, workflow


@task
def inc(x: int) -> int:
    return x + 1


@task
def name(text: str) -> str:
    return text


@workflow
def branch_conditions(x: int, mode: str, fast: bool, wait: datetime.timedelta) -> str:
    a = inc(x=x)
    b = inc(x=a)
    return (
        conditional("many")
        .if_(((a > 3) | (b < 2)) & (mode != 'it\'s "off"'))
        .then(name(text="first"))
        .elif_((fast.is_false()) & (a == b))
        .then(name(text="second"))
        .elif_((wait > datetime.timedelta(hours=1)) & (a < b) & (x >= 0))
        .then(name(text="third"))
        .else_()
        .then(name(text="last"))
    )


ENTITY = branch_conditions
INPUTS = {"x": 1, "mode": "on", "fast": True, "wait": datetime.timedelta(hours=2)}
EXPECTED = "third"
