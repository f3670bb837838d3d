"""A class that Flyte doesn't know, pickled from task to task, and an input of any type."""

from typing import Any

from flytekit import task, workflow


class Basket:
    """Not a dataclass, no transformer: flytekit pickles it."""

    def __init__(self, items: list[str]) -> None:
        self.items = items


@task
def fill(first: str) -> Basket:
    return Basket([first, "pear"])


@task
def count(basket: Basket, extra: Any) -> int:
    return len(basket.items) + len(extra)


@workflow
def pickled(first: str) -> int:
    return count(basket=fill(first=first), extra={1, 2})


ENTITY = pickled
INPUTS = {"first": "plum"}
EXPECTED = 4
