"""Nodes that wait for state: never two at once that use the same, none waits for ever, whatever is around them."""

from __future__ import annotations

import re
import threading
import time
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from flytekit import WorkflowFailurePolicy, current_context, dynamic, eager, map_task, task, workflow
from flytekit.exceptions.user import FlyteRecoverableException

import flytenb
from flytenb.display.runs.node_details import NodeDetails
from flytenb.display.show import show
from flytenb.model import Phase
from flytenb.reach.state_uses import StateUse
from flytenb.runner.exclusion import Exclusion, Hold
from flytenb.runner.resources import resources
from tests.waiting import PATIENCE, wait_for

_in_use = {name: threading.Lock() for name in "ab"}
_overlaps: list[str] = []


def using(name: str) -> threading.Lock:
    """What a task holds while it uses this; noted if another one does. A stop can't keep a lock from its release."""
    if _in_use[name].locked():
        _overlaps.append(name)
    return _in_use[name]


def slowly(n: int) -> int:
    time.sleep(0.002)
    return n


@task
@flytenb.uses("a")
def uses_a(n: int) -> int:
    with using("a"):
        return slowly(n)


@task
@flytenb.uses("b")
def uses_b(n: int) -> int:
    with using("b"):
        return slowly(n)


@task
@flytenb.uses("a", "b")
def uses_both(n: int) -> int:
    with using("a"), using("b"):
        return slowly(n)


@task
@flytenb.uses("a", "b", "everything")
def uses_all(n: int) -> int:
    with using("a"), using("b"):
        return slowly(n)


@task
def plain(n: int) -> int:
    return n


@task(retries=2)
@flytenb.uses("b")
def tries_again(n: int) -> int:
    with using("b"):
        checkpoint = current_context().checkpoint
        if checkpoint.read() is None:
            checkpoint.write(b"tried")
            raise FlyteRecoverableException("once more")
        return n


@task(timeout=timedelta(milliseconds=30))
@flytenb.uses("a")
def is_late(n: int) -> int:
    with using("a"):
        time.sleep(0.1)
        return n


@task
@flytenb.uses("a")
def fails(n: int) -> int:
    with using("a"):
        if n > -1:
            raise ValueError(n)
        return n


@dynamic
@flytenb.uses("b")
def grows(n: int) -> int:
    with using("b"):
        slowly(n)
    return uses_a(n=uses_both(n=n))  # type: ignore[no-any-return]


@eager
@flytenb.uses("a")
async def waits_for_others(n: int) -> int:
    with using("a"):
        slowly(n)
    found = uses_a(n=n)
    with using("a"):
        slowly(n)
    return found + uses_both(n=n)  # type: ignore[no-any-return]


@workflow
def inside(n: int) -> int:
    return uses_both(n=uses_a(n=n))  # type: ignore[no-any-return]


@task
@flytenb.uses("a")
def joins(ns: list[int]) -> int:
    with using("a"):
        return sum(ns)


def mapped(n: int) -> Any:
    return joins(ns=map_task(uses_b)(n=[1, 2, 3, 4]))


SOUND = [uses_a, uses_b, uses_both, uses_all, plain, tries_again, grows, inside, mapped]
FAULTY = [is_late, fails]


def flow(seed: int) -> tuple[Any, bool]:
    """A random workflow, and whether all of its nodes can succeed."""
    is_sound = seed % 3 != 0
    policy = Random(seed).choice(list(WorkflowFailurePolicy))

    @workflow(failure_policy=policy)
    def random_flow(n: int) -> None:
        rng = Random(seed)
        made: list[Any] = []
        for _ in range(rng.randint(4, 9)):
            entity = rng.choice(SOUND if is_sound else SOUND + FAULTY)
            value = rng.choice(made) if made and rng.random() < 0.4 else n
            made.append(entity(n=value))

    return random_flow, is_sound


def is_free() -> bool:
    return not resources.exclusion._holds and not resources.exclusion._lines


# A stop may come while flytekit opens the file of a checkpoint.
@pytest.mark.sampled(5)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("seed", range(40))
def test_random_workflows_end_and_never_overlap(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flytenb.runner.scheduler._PATIENCE", PATIENCE)  # a task that is stopped ends before its hold
    _overlaps.clear()
    made, is_sound = flow(seed)
    workers = Random(seed).choice([1, 2, 16])
    entities = [made, made, waits_for_others]
    runs = [flytenb.options(workers=workers).start(entity, n=seed + i) for i, entity in enumerate(entities)]
    rng = Random(seed)
    if seed % 4 == 3:
        time.sleep(rng.random() / 50)
        runs[0].cancel()
    for run in runs:
        run.wait(PATIENCE)
        assert run.phase.is_terminal
    if is_sound:
        assert [run.phase for run in runs[1:]] == [Phase.SUCCEEDED] * 2, [run.error for run in runs]
    wait_for(is_free)
    assert _overlaps == []


def test_runs_inside_of_tasks_that_need_each_other_s_state_end() -> None:
    meeting = threading.Barrier(2)

    @task
    @flytenb.uses("a")
    def holds_a(n: int) -> int:
        meeting.wait(PATIENCE)
        return flytenb.run(eval("uses_b"), n=n).result  # type: ignore[no-any-return]

    @task
    @flytenb.uses("b")
    def holds_b(n: int) -> int:
        meeting.wait(PATIENCE)
        return flytenb.run(eval("uses_a"), n=n).result  # type: ignore[no-any-return]

    runs = [flytenb.start(entity, n=7) for entity in (holds_a, holds_b)]
    assert [run.wait(PATIENCE).result for run in runs] == [7, 7]


def take(lock: Exclusion, path: str, woken: list[str], *, reads: str = "", writes: str = "", run: object = "r") -> Hold:
    hold = Hold(run, path, StateUse(frozenset(reads.split()), frozenset(writes.split())))
    if lock.take(hold, lambda: woken.append(path)) is None:
        woken.append(f"{path} runs")
    return hold


def test_who_waits_is_not_overtaken() -> None:
    lock, seen = Exclusion(), []  # type: ignore[var-annotated]
    first = take(lock, "first", seen, reads="x")
    take(lock, "writer", seen, writes="x")
    take(lock, "reader", seen, reads="x")
    assert seen == ["first runs"]
    lock.release(first)
    assert seen == ["first runs", "writer"]
    writer = take(lock, "writer", seen, writes="x")
    lock.release(writer)
    assert seen == ["first runs", "writer", "writer runs", "reader"]


def test_who_no_longer_waits_keeps_nobody_waiting() -> None:
    lock, seen = Exclusion(), []  # type: ignore[var-annotated]
    first = take(lock, "first", seen, reads="x")
    writer = take(lock, "writer", seen, writes="x")
    take(lock, "reader", seen, reads="x")
    lock.forget("r", "writer", writer.use)
    assert seen == ["first runs", "reader"]
    lock.release(first)


def test_lines_of_different_use_take_turns() -> None:
    lock, seen = Exclusion(), []  # type: ignore[var-annotated]
    current = take(lock, "a0", seen, writes="x")
    for path in ("a1", "a2"):
        take(lock, path, seen, writes="x")
    take(lock, "b0", seen, writes="x y")
    order = []
    for _ in range(3):
        lock.release(current)
        order.append(seen[-1])
        current = take(lock, seen[-1], seen, writes="x y" if seen[-1].startswith("b") else "x")
        seen.pop()
    assert order == ["a1", "b0", "a2"]


another_waits = threading.Event()


@task
@flytenb.uses("a")
def ends_once_another_waits(n: int) -> int:
    assert another_waits.wait(PATIENCE)
    return n


def test_what_a_node_waited_for_is_shown() -> None:
    another_waits.clear()
    run = flytenb.start(map_task(ends_once_another_waits), n=[1, 2])
    run.listen(lambda event: another_waits.set() if event.kind == "wait" else None)
    run.wait(PATIENCE)
    facts = [fact for path in run.nodes for fact in NodeDetails.of(run, path, show).facts if fact.startswith("waited")]
    assert len(facts) == 1
    assert re.fullmatch(r"waited (<1|[\d.]+) m?s for: a \(used by n0/\d\)", facts[0])
