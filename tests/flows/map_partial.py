"""A map task of which one input is bound, to a constant and to a promise."""

import functools

from flytekit import map_task, task, workflow


@task
def scale(x: float, factor: float, names: list[str]) -> str:
    return f"{names[0]} {x * factor}"


@task
def choose() -> float:
    return 3.0


@workflow
def map_partial(xs: list[float]) -> tuple[list[str], list[str]]:
    one = map_task(functools.partial(scale, factor=2.0, names=["a", "b"]))(x=xs)
    two = map_task(functools.partial(scale, factor=choose(), names=["c"]))(x=xs)
    return one, two


ENTITY = map_partial
INPUTS = {"xs": [1.0, 2.0]}
EXPECTED = (["a 2.0", "a 4.0"], ["c 3.0", "c 6.0"])
