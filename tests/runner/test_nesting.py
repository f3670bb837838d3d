"""Recursion at run time: of a limited depth it works, without an end it fails and names the cycle."""

from __future__ import annotations

from typing import Any

import pytest
from flytekit import WorkflowFailurePolicy, dynamic, eager, task, workflow

import flytenb
from flytenb.errors import NestingError
from flytenb.runner import nesting
from tests.waiting import are_workers_idle, wait_for


@task
def minus(n: int, by: int = 1) -> int:
    return n - by


@task
def plus(x: int, y: int) -> int:
    return x + y


@dynamic
def down(n: int) -> int:
    return minus(n=n) if n == 0 else inner(n=n)


@workflow
def inner(n: int) -> int:
    return down(n=minus(n=n))


@dynamic
def alone(n: int) -> int:
    return alone(n=n + 1)


@dynamic
def twice(n: int) -> int:
    return plus(x=twice(n=n), y=twice(n=n))


@workflow(failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
def goes_on(n: int) -> int:
    return twice(n=n)


@eager
async def ask(n: int) -> int:
    return await answer(n=n)


@eager
async def answer(n: int) -> int:
    return await ask(n=n)


@task
def starts_run(n: int) -> int:
    return int(flytenb.run(runs_it, n=n).outputs["o0"])


@workflow
def runs_it(n: int) -> int:
    return starts_run(n=n)


def test_a_recursion_of_fifty_levels_works_and_can_be_resumed() -> None:
    run = flytenb.run(down, n=50)
    assert run.outputs == {"o0": -1}
    assert flytenb.run(down, n=50, resume=run).outputs == {"o0": -1}


@pytest.mark.parametrize(
    ("entity", "cycle"),
    [
        (down, "the cycle is down → inner → down"),
        (alone, "the cycle is alone → alone"),
        (twice, "the cycle is twice → twice"),
        (goes_on, "the cycle is twice → twice"),
        (ask, "the cycle is ask → answer → ask"),
        (runs_it, "a run of 'runs_it' starts the next one"),
    ],
    ids=["dynamic and workflow", "dynamic", "two calls", "two calls that go on", "eager tasks", "runs"],
)
def test_a_recursion_without_an_end_fails_and_names_the_cycle(
    entity: Any, cycle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nesting, "MOST_LEVELS", 10)  # of two calls for each level there are many nodes at the real one
    with pytest.raises(NestingError) as raised:
        flytenb.run(entity, n=30)
    assert "more than 10 levels" in raised.value.message
    assert cycle in raised.value.message
    assert "end the recursion" in raised.value.hint
    wait_for(are_workers_idle)


def test_a_recursion_ends_at_the_real_limit() -> None:
    with pytest.raises(NestingError):
        flytenb.run(down, n=nesting.MOST_LEVELS)
    assert flytenb.run(down, n=2).outputs == {"o0": -1}
