"""What a node was promised is kept as on a cluster: retries, timeouts, policy, order, cache, gates, handlers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest
from flytekit import (
    Cache,
    HashMethod,
    WorkflowFailurePolicy,
    approve,
    current_context,
    dynamic,
    map_task,
    task,
    wait_for_input,
    workflow,
)
from flytekit import sleep as sleep_gate
from flytekit.core import local_cache
from flytekit.core.local_cache import LocalTaskCache
from flytekit.core.node_creation import create_node
from flytekit.exceptions.user import FlyteDisapprovalException, FlyteRecoverableException
from flytekit.types.error.error import FlyteError

from flytenb.cache.task_cache import TaskCache
from flytenb.errors import FlytenbError, NodeTimeoutError
from flytenb.model import CacheStatus, Phase
from flytenb.runner.run import Run
from flytenb.runner.settings import Settings
from tests.waiting import PATIENCE, are_workers_idle, is_executed, wait_for

calls: list[Any] = []
gate_open = threading.Event()


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    calls.clear()
    gate_open.clear()
    yield
    gate_open.set()


def start(entity: Any, settings: Settings | None = None, /, **inputs: Any) -> Run:
    return Run(entity, inputs, settings or Settings())._begin()


def run(entity: Any, settings: Settings | None = None, /, **inputs: Any) -> Run:
    return start(entity, settings, **inputs).wait(PATIENCE)


# --- retries ---------------------------------------------------------------------------------------------------------


@task(retries=2)
def fails_with(x: int, kind: str, times: int) -> int:
    calls.append(x)
    if len(calls) <= times:
        raise FlyteRecoverableException("later") if kind == "recoverable" else ValueError("never")
    return x


@workflow
def retried(x: int, kind: str, times: int) -> int:
    return fails_with(x=x, kind=kind, times=times)


@workflow
def retried_once(x: int, kind: str, times: int) -> int:
    return fails_with(x=x, kind=kind, times=times).with_overrides(retries=1)


@pytest.mark.parametrize(
    ("entity", "kind", "times", "phase", "attempts"),
    [
        (retried, "recoverable", 2, Phase.SUCCEEDED, 3),
        (retried, "recoverable", 3, Phase.FAILED, 3),
        (retried, "other", 1, Phase.FAILED, 1),
        (retried_once, "recoverable", 1, Phase.SUCCEEDED, 2),
        (retried_once, "recoverable", 2, Phase.FAILED, 2),
        (fails_with, "recoverable", 2, Phase.SUCCEEDED, 3),
    ],
)
def test_only_what_says_that_it_is_recoverable_is_tried_again(
    entity: Any, kind: str, times: int, phase: Phase, attempts: int
) -> None:
    done = run(entity, x=1, kind=kind, times=times)
    assert (done.phase, done.nodes["n0"].attempts, len(calls)) == (phase, attempts, attempts)
    reported = [(e.attempt, e.text) for e in done.events if e.kind == "attempt"]
    assert [number for number, _ in reported] == list(range(1, attempts))
    assert all("later" in text for _, text in reported)
    if phase is Phase.FAILED and attempts > 1:
        assert done.error is not None
        assert len(done.error.retries) == attempts - 1


# --- timeouts --------------------------------------------------------------------------------------------------------


@task(timeout=timedelta(hours=1))
def too_slow(x: int) -> int:
    calls.append("started")
    while not gate_open.is_set():
        pass
    calls.append("went on")
    return x


@task
def after(x: int) -> int:
    calls.append("after")
    return x


@workflow
def times_out(x: int) -> int:
    return after(x=too_slow(x=x))


@workflow
def times_out_twice(x: int) -> int:
    return too_slow(x=x).with_overrides(retries=1)


def too_late(entity: Any, pass_an_hour: Callable[[], None], *, times: int = 1) -> Run:
    """A run that is over since its task has taken too long."""
    started = start(entity, x=1)
    for number in range(1, times + 1):
        wait_for(lambda number=number: len(calls) == number)
        pass_an_hour()
    return started.wait(PATIENCE)


def test_a_node_that_takes_too_long_is_timed_out_and_its_result_dropped(an_hour_passes: Callable[[], None]) -> None:
    done = too_late(times_out, an_hour_passes)
    assert done.phase is Phase.FAILED
    assert done.nodes["n0"].phase is Phase.TIMED_OUT
    assert done.nodes["n1"].phase is Phase.ABORTED
    assert done.error is not None
    assert isinstance(done.error.exception, NodeTimeoutError)
    assert str(done.error.exception) == "too_slow took longer than its timeout of 1 h"
    assert done.error.path == "n0"
    wait_for(lambda: not is_executed(too_slow.task_function))
    wait_for(are_workers_idle)
    assert "after" not in calls
    assert done.nodes["n0"].outputs == {}


def test_a_task_that_is_timed_out_is_asked_to_stop(an_hour_passes: Callable[[], None]) -> None:
    too_late(times_out, an_hour_passes)
    wait_for(lambda: not is_executed(too_slow.task_function))  # only a request ends its loop
    assert calls == ["started"]


def test_a_timeout_is_tried_again_where_retries_are_left(an_hour_passes: Callable[[], None]) -> None:
    done = too_late(times_out_twice, an_hour_passes, times=2)
    assert (done.phase, done.nodes["n0"].attempts, calls) == (Phase.FAILED, 2, ["started", "started"])


# --- failure ---------------------------------------------------------------------------------------------------------


@task
def fail(x: int) -> int:
    raise ValueError(f"no {x}")
    return x


@task
def slow_append(x: int) -> int:
    gate_open.wait(PATIENCE)
    calls.append(x)
    return x


@workflow
def fails_at_once(x: int) -> int:
    slow_append(x=x)
    fail(x=x)
    return after(x=x)


@workflow(failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
def goes_on(x: int) -> int:
    a = slow_append(x=x)
    b = fail(x=x)
    after(x=b)
    return after(x=a)


def test_the_first_failure_ends_a_run_and_what_runs_is_dropped() -> None:
    done = run(fails_at_once, x=3)
    assert done.phase is Phase.FAILED
    assert done.nodes["n0"].phase is Phase.ABORTED
    assert done.nodes["n1"].phase is Phase.FAILED
    assert str(done.nodes["n1"].error) == "ValueError: no 3"


def test_with_the_other_policy_all_that_can_still_run_does() -> None:
    started = start(goes_on, x=3)
    wait_for(lambda: started.nodes["n1"].phase is Phase.FAILED)
    gate_open.set()
    done = started.wait(PATIENCE)
    assert done.phase is Phase.FAILED
    phases = {path: node.phase for path, node in done.nodes.items()}
    assert phases == {"n0": Phase.SUCCEEDED, "n1": Phase.FAILED, "n2": Phase.ABORTED, "n3": Phase.SUCCEEDED}
    assert calls == [3, "after"]


@workflow(failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
def fails_twice(x: int) -> None:
    fail(x=x)
    fail(x=9)


def test_several_failures_are_all_kept() -> None:
    done = run(fails_twice, x=3)
    assert done.error is not None
    found = {str(f.exception) for f in (done.error, *done.also_failed)}
    assert found == {"no 3", "no 9"}


@task
def clean_up(x: int, err: FlyteError | None = None) -> None:
    calls.append((x, err and err.failed_node_id, err and err.message))


@workflow(on_failure=clean_up)
def handled_inside(x: int) -> int:
    return fail(x=after(x=x))


@workflow
def handled(x: int) -> int:
    return handled_inside(x=x)


def test_a_failure_handler_is_given_the_error() -> None:
    done = run(handled, x=5)
    assert done.phase is Phase.FAILED
    assert calls[0] == "after"
    x, node_id, message = calls[1]
    assert (x, node_id) == (5, "fn0")
    assert message.endswith("Message:\n\n    ValueError: no 5")
    assert done.nodes["n0/fn0"].phase is Phase.SUCCEEDED
    assert done.nodes["n0"].phase is Phase.FAILED


def test_a_user_s_exception_is_the_very_object_that_was_raised() -> None:
    with pytest.raises(ValueError, match="no 7") as caught:
        _ = run(fail, x=7).result
    assert caught.value.args == ("no 7",)


# --- order -----------------------------------------------------------------------------------------------------------


@task
def note(what: str) -> None:
    calls.append(what)


@task
def note_late(what: str) -> None:
    gate_open.wait(0.2)
    calls.append(what)


@workflow
def ordered() -> None:
    last = create_node(note, what="last")
    first = create_node(note_late, what="first")
    first >> last


def test_order_without_data_is_kept() -> None:
    run(ordered)
    assert calls == ["first", "last"]


# --- cache -----------------------------------------------------------------------------------------------------------


factor = 2


@task(cache=Cache(version="1", ignored_inputs=("label",)))
def cached(x: int, label: str = "") -> int:
    calls.append((x, label))
    return x * factor


@task(cache=Cache(version="1"))
def cached_slowly(x: int) -> int:
    calls.append(x)
    gate_open.wait(0.3)
    return x


@workflow
def many_equal(x: int) -> list[int]:
    return [cached_slowly(x=x) for _ in range(16)]


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from diskcache import Cache as Store

    monkeypatch.setattr(LocalTaskCache, "_cache", Store(str(tmp_path)), raising=False)
    monkeypatch.setattr(LocalTaskCache, "_initialized", True)


def statuses(done: Run) -> list[CacheStatus]:
    return [node.cache_status for node in done.nodes.values()]


@pytest.mark.usefixtures("empty_cache")
def test_an_equal_call_is_answered_from_the_cache() -> None:
    assert statuses(run(cached, x=1)) == [CacheStatus.POPULATED]
    second = run(cached, x=1)
    assert (statuses(second), second.result) == ([CacheStatus.HIT], 2)
    assert statuses(run(cached, x=2)) == [CacheStatus.POPULATED]
    assert calls == [(1, ""), (2, "")]


@pytest.mark.usefixtures("empty_cache")
def test_ignored_inputs_make_no_difference() -> None:
    run(cached, x=1, label="a")
    assert statuses(run(cached, x=1, label="b")) == [CacheStatus.HIT]


@pytest.mark.usefixtures("empty_cache")
@pytest.mark.parametrize(
    ("setting", "status"),
    [(False, CacheStatus.DISABLED), ("overwrite", CacheStatus.POPULATED), (True, CacheStatus.HIT)],
)
def test_a_run_may_leave_the_cache_out_or_fill_it_anew(setting: Any, status: CacheStatus) -> None:
    run(cached, x=1)
    done = run(cached, Settings(cache=setting), x=1)
    assert statuses(done) == [status]
    assert len(calls) == (1 if status is CacheStatus.HIT else 2)


@pytest.mark.usefixtures("empty_cache")
def test_equal_calls_at_the_same_time_run_once() -> None:
    done = run(many_equal, x=1)
    assert done.result == [1] * 16
    assert calls == [1]
    assert sorted(set(statuses(done))) == [CacheStatus.HIT, CacheStatus.POPULATED]


class Obstinate:
    """Raises what no walk over objects expects."""

    def __getattribute__(self, name: str) -> Any:
        raise OSError(5, "Input/output error")


obstinate: Any = None


@task(cache=Cache(version="1"))
def reaches_the_obstinate(x: int) -> int:
    return x if obstinate is None else x + 1


@pytest.mark.usefixtures("empty_cache")
def test_code_that_cannot_be_read_costs_the_cache_and_never_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "obstinate", Obstinate())
    done = run(reaches_the_obstinate, x=1)
    assert (done.result, statuses(done)) == (2, [CacheStatus.SKIPPED])


@pytest.mark.usefixtures("empty_cache")
def test_what_changed_under_the_same_version_runs_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(cached, x=1).result == 2
    monkeypatch.setitem(globals(), "factor", 3)
    again = run(cached, x=1)
    assert (statuses(again), again.result) == ([CacheStatus.POPULATED], 3)
    monkeypatch.setitem(globals(), "factor", 2)
    assert statuses(run(cached, x=1)) == [CacheStatus.HIT]


@pytest.mark.usefixtures("empty_cache")
@pytest.mark.parametrize("broken", ["key", "get", "put"])
def test_a_cache_that_fails_costs_time_and_never_the_run(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any, **options: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(TaskCache, broken, full)
    done = run(cached, x=1)
    assert (done.phase, done.result) == (Phase.SUCCEEDED, 2)
    assert "No space left on device" in done.nodes["n0"].log


def test_a_cache_that_can_t_be_opened_costs_time_and_never_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    monkeypatch.setattr(local_cache, "CACHE_LOCATION", str(in_the_way / "cache"))
    monkeypatch.setattr(LocalTaskCache, "_initialized", False)
    done = run(cached, x=1)
    assert (done.phase, done.result, statuses(done)) == (Phase.SUCCEEDED, 2, [CacheStatus.SKIPPED])
    assert "the cache was not used" in done.nodes["n0"].log


# --- maps ------------------------------------------------------------------------------------------------------------

inside: list[int] = []
most_inside: list[int] = []
three_met = threading.Event()


@task
def counted(x: int) -> int:
    if x < 0:
        raise ValueError(f"{x} is negative")
    return x


@task
def meets_two(x: int) -> int:
    inside.append(x)
    most_inside.append(len(inside))
    if len(inside) == 3:
        three_met.set()
    three_met.wait(PATIENCE)
    threading.Event().wait(0.01)
    inside.remove(x)
    return x


@workflow
def three_at_once(xs: list[int]) -> list[int]:
    return map_task(meets_two, concurrency=3)(x=xs)


@workflow
def most_must(xs: list[int]) -> list[int | None]:
    return map_task(counted, min_success_ratio=0.5)(x=xs)


@task
def add(x: int, y: int) -> int:
    return x + y


@workflow
def two_lists(xs: list[int], ys: list[int]) -> list[int]:
    return map_task(add)(x=xs, y=ys)


def test_a_map_runs_no_more_at_once_than_its_concurrency() -> None:
    done = run(three_at_once, xs=list(range(12)))
    assert done.result == list(range(12))
    assert max(most_inside) == 3


def test_a_map_bears_as_many_failures_as_it_may() -> None:
    done = run(most_must, xs=[1, -1, 2, -2])
    assert done.result == [1, None, 2, None]
    assert done.nodes["n0/1"].phase is Phase.FAILED
    assert run(most_must, xs=[1, -1, -3, -2]).phase is Phase.FAILED


def test_a_map_tells_its_progress() -> None:
    done = run(three_at_once, xs=[1, 2, 3, 4])
    reported = [(e.done, e.total) for e in done.events if e.kind == "progress"]
    assert reported == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def test_lists_of_different_lengths_are_refused_with_both_lengths() -> None:
    done = run(two_lists, xs=[1, 2], ys=[1])
    assert done.phase is Phase.FAILED
    assert "x has 2" in str(done.error)
    assert "y has 1" in str(done.error)


def test_an_empty_map_is_an_empty_list() -> None:
    assert run(three_at_once, xs=[]).result == []


# --- gates -----------------------------------------------------------------------------------------------------------


@workflow
def asks(x: int) -> int:
    seen = after(x=x)
    entered = wait_for_input("amount", timeout=timedelta(hours=1), expected_type=int)
    allowed = approve(seen, "really", timeout=timedelta(hours=1))
    return add(x=allowed, y=entered)


@workflow
def asks_in_vain() -> int:
    return wait_for_input("unanswered", timeout=timedelta(milliseconds=100), expected_type=int)


@workflow
def sleeps() -> None:
    sleep_gate(timedelta(hours=1))


def test_gates_wait_for_their_answers() -> None:
    started = start(asks, x=1)
    wait_for(lambda: len(started.waiting) == 2)
    asked = {e.text for e in started.events if e.kind == "gate"}
    assert asked == {"amount: a value of type int", "approve really? · value 1"}
    started.approve("really")
    started.set_input("amount", 41)
    done = started.wait(PATIENCE)
    assert (done.phase, done.result) == (Phase.SUCCEEDED, 42)


def test_a_gate_that_is_disapproved_fails_its_node() -> None:
    started = start(asks, x=1)
    wait_for(lambda: len(started.waiting) == 2)
    started.approve("really", approved=False)
    done = started.wait(PATIENCE)
    assert done.error is not None
    assert isinstance(done.error.exception, FlyteDisapprovalException)


def test_a_value_of_another_type_is_refused_and_the_gate_goes_on_waiting() -> None:
    started = start(asks, x=1)
    wait_for(lambda: len(started.waiting) == 2)
    with pytest.raises(Exception, match="int"):
        started.set_input("amount", "many")
    assert len(started.waiting) == 2
    started.set_input("amount", 1)
    started.approve("really")
    assert started.wait(PATIENCE).result == 2


def test_an_answer_to_nobody_names_who_waits() -> None:
    started = start(asks, x=1)
    wait_for(lambda: len(started.waiting) == 2)
    with pytest.raises(FlytenbError, match="no gate waits at 'reely'"):
        started.approve("reely")
    started.cancel()
    with pytest.raises(FlytenbError, match="waiting: none"):
        started.approve("really")


def test_a_gate_that_nobody_answers_times_out() -> None:
    done = run(asks_in_vain)
    assert done.nodes["n0"].phase is Phase.TIMED_OUT
    assert done.waiting == ()


def test_answers_given_beforehand_are_taken() -> None:
    assert run(asks, Settings(answers={"really": True, "amount": 4}), x=1).result == 5


def test_a_sleeping_gate_can_be_cancelled() -> None:
    started = start(sleeps)
    wait_for(lambda: started.nodes["n0"].phase is Phase.RUNNING)
    assert started.cancel().phase is Phase.ABORTED
    assert started.nodes["n0"].phase is Phase.ABORTED


# --- what only running shows -----------------------------------------------------------------------------------------


@dynamic
def as_many(n: int) -> list[int]:
    return [add(x=i, y=i) for i in range(n)]


def test_a_dynamic_shows_what_it_did_each_time_anew() -> None:
    for n in (2, 4):
        done = run(as_many, n=n)
        assert done.result == [2 * i for i in range(n)]
        spawned = [e for e in done.events if e.kind == "spawn"]
        assert [e.path for e in spawned] == ["n0"]
        assert set(done.graph.nodes["n0"].children) >= {f"n0/dn{i}" for i in range(n)}


@task(retries=3)
def resumes(limit: int, log: str) -> int:
    checkpoint = current_context().checkpoint
    before = checkpoint.read()
    at = int(before.decode()) if before else 0
    with Path(log).open("a") as file:
        file.write(f"{at} ")
    for i in range(at, limit):
        if i > at and i % 4 == 0:
            raise FlyteRecoverableException(f"lost at {i}")
        checkpoint.write(str(i + 1).encode())
    return limit


@pytest.mark.parametrize("settings", [Settings(), Settings(processes=True)], ids=["threads", "processes"])
def test_a_retry_reads_what_the_attempt_before_it_wrote(settings: Settings, tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert run(resumes, settings, limit=10, log=str(log)).result == 10
    assert log.read_text() == "0 4 8 "


@workflow
def resumes_twice(log: str, other: str) -> list[int]:
    return [resumes(limit=6, log=log), resumes(limit=6, log=other)]


def test_each_node_has_checkpoints_of_its_own(tmp_path: Path) -> None:
    log, other = tmp_path / "log", tmp_path / "other"
    assert run(resumes_twice, log=str(log), other=str(other)).result == [6, 6]
    assert (log.read_text(), other.read_text()) == ("0 4 ", "0 4 ")


@pytest.mark.usefixtures("empty_cache")
def test_a_cached_dynamic_is_answered_as_a_whole() -> None:
    bodies.clear()
    assert run(cached_dynamic, x=1).result == 3
    second = run(cached_dynamic, x=1)
    assert (second.result, bodies) == (3, [1])
    assert second.nodes["n0"].cache_status is CacheStatus.HIT
    assert list(second.nodes) == ["n0"]


bodies: list[int] = []


@dynamic(cache=True, cache_version="1")
def cached_dynamic(x: int) -> int:
    bodies.append(x)
    return plus_one(x=plus_one(x=x))


@task
def plus_one(x: int) -> int:
    return x + 1


def the_same(x: int) -> str:
    return "the same"


@task
def hashed(x: int) -> Annotated[int, HashMethod(the_same)]:
    return x


@task
def hashed_list(x: int) -> list[Annotated[int, HashMethod(the_same)]]:
    return [x]


@task(cache=True, cache_version="1")
def takes_one(x: int) -> int:
    calls.append(x)
    return x


@task(cache=True, cache_version="1")
def takes_list(xs: list[int]) -> int:
    calls.append(xs)
    return xs[0]


@task(cache=True, cache_version="1")
def takes_dict(xs: dict[str, int]) -> int:
    calls.append(xs)
    return xs["a"]


@workflow
def inner_hashed(x: int) -> int:
    return hashed(x=x)


@workflow
def by_node(x: int) -> int:
    return takes_one(x=hashed(x=x))


@workflow
def by_subworkflow(x: int) -> int:
    return takes_one(x=inner_hashed(x=x))


@workflow
def by_elements(x: int) -> int:
    return takes_list(xs=hashed_list(x=x))


@workflow
def by_list(x: int) -> int:
    return takes_list(xs=[hashed(x=x), hashed(x=x)])


@workflow
def by_dict(x: int) -> int:
    return takes_dict(xs={"a": hashed(x=x)})


@pytest.mark.usefixtures("empty_cache")
@pytest.mark.parametrize("flow", [by_node, by_subworkflow, by_elements, by_list, by_dict], ids=lambda flow: flow.name)
def test_the_hash_that_a_producer_gives_decides_as_in_flytekit_s_own_run(flow: Any) -> None:
    here = [run(flow, x=x).result for x in (1, 2)], len(calls)
    calls.clear()
    LocalTaskCache.clear()
    assert here == ([flow(x=x) for x in (1, 2)], len(calls)) == ([1, 1], 1)
