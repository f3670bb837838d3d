"""Nothing that a user supplies holds a run, its cancel, other runs or the clock up, whether it blocks or raises."""

from __future__ import annotations

import gc
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from flytekit import dynamic, eager, task, workflow
from flytekit.core.node_creation import create_node
from flytekit.exceptions.user import FlyteRecoverableException

import flytenb
from flytenb.model import Phase
from tests.hooks import (
    PLACES,
    RAISED,
    Odd,
    Place,
    Thing,
    asks,
    fails,
    hook,
    on_late_service,
    plain,
    things,
    trivial,
    watched,
    went_on,
)
from tests.waiting import PATIENCE, are_workers_idle, wait_for

T = TypeVar("T")

pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    # What a hook raises on a thread of a library's own is reported by Python.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]


@pytest.fixture(scope="module", autouse=True)
def nothing_left_to_complain() -> Iterator[None]:
    """Collect the coroutines that stopped nodes never awaited here, not amid the tests of another file."""
    yield
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "unraisablehook", lambda _: None)
        gc.collect()


@pytest.fixture(autouse=True)
def disarmed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # A node may be stopped in a destructor, which pytest would take for an error of a test.
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
    went_on.clear()
    watched.clear()
    hook.disarm()
    yield
    hook.disarm()
    wait_for(are_workers_idle)  # or threads of this test would meet the next one's hook


def soon(call: Callable[[], T], what: str) -> T:
    """Return what a call returns; fail if it hangs, and let what hangs go on."""
    found: list[T] = []
    errors: list[BaseException] = []

    def attempt() -> None:
        try:
            found.append(call())
        except BaseException as e:
            errors.append(e)

    thread = threading.Thread(target=attempt, name="soon", daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if thread.is_alive():
        stack = "".join(traceback.format_stack(sys._current_frames().get(thread.ident or 0)))
        hook.disarm()
        thread.join(PATIENCE)
        pytest.fail(f"{what} hangs while the hook blocks:\n{stack}")
    if errors:
        raise errors[0]
    return found[0]


def is_over(run: Any) -> bool:
    """Tell whether a run and all its nodes are over."""
    return run.phase.is_terminal and all(node.phase.is_terminal for node in run.nodes.values())


def arm(place: Place, raises: type[BaseException] | None = None) -> None:
    """Arm the hook; the entity is compiled before, since that is no part of a run."""
    flytenb.graph(place.entity)
    hook.arm(place.name, raises, later=place.later, certain=place.certain)


def phases(run: Any) -> dict[str, str]:
    return {"": str(run.phase)} | {path: str(node.phase) for path, node in run.nodes.items()}


def begin(place: Place) -> Any:
    run = soon(lambda: flytenb.options(**dict(place.settings)).start(place.entity, x=3), "start")
    if place.watch is not None:
        soon(lambda: place.watch(run), "watching the run")
    return run


# --- what works afterwards -------------------------------------------------------------------------------------------

tries: list[int] = []


@task(retries=1)
def works_the_second_time(x: int) -> int:
    tries.append(x)
    if len(tries) == 1:
        raise FlyteRecoverableException("later")
    return x


@task(timeout=timedelta(milliseconds=20))
def never_ends(x: int) -> int:
    while x:
        pass
    return x


def everything_works() -> None:
    """Start and draw; retry and time out, which is the clock's; leave nothing running."""
    done = soon(lambda: flytenb.start(trivial, x=1).wait(PATIENCE), "the next run")
    assert (done.phase, done.result) == (Phase.SUCCEEDED, 2)
    tries.clear()
    done = soon(lambda: flytenb.start(works_the_second_time, x=1).wait(PATIENCE), "the next retry")
    assert (done.phase, tries) == (Phase.SUCCEEDED, [1, 1])
    done = soon(lambda: flytenb.start(never_ends, x=1).wait(PATIENCE), "the next timeout")
    assert done.nodes["n0"].phase is Phase.TIMED_OUT
    assert "trivial" in soon(lambda: str(flytenb.draw(plain)), "the next drawing")


# --- hooks that block ------------------------------------------------------------------------------------------------


@pytest.mark.sampled(5)
@pytest.mark.parametrize("place", PLACES, ids=repr)
def test_a_hook_that_blocks_holds_up_neither_other_nodes_nor_cancel_nor_other_runs(place: Place) -> None:
    arm(place)
    run = begin(place)
    assert went_on.wait(PATIENCE), "no other node goes on while the hook blocks"
    assert hook.reached.is_set() or not place.certain, "the hook isn't called"
    assert soon(run.cancel, "cancel") is run
    soon(lambda: run.wait(PATIENCE), "wait")
    assert is_over(run), phases(run)
    if place.certain and place.name != "listener":
        assert run.phase is Phase.ABORTED
    elif run.phase is not Phase.ABORTED:  # it didn't call the hook, or not before its end
        assert run.phase is (Phase.FAILED if place.entity is fails else Phase.SUCCEEDED), phases(run)
    if place.compiles:
        hook.disarm()
    everything_works()


def test_a_hook_that_blocks_in_what_answers_a_gate_holds_up_nothing() -> None:
    run = flytenb.start(asks, x=1)
    wait_for(lambda: run.waiting)
    hook.arm("to_literal")
    answering = threading.Thread(target=lambda: run.set_input(run.waiting[0], Odd(1)), daemon=True)
    answering.start()
    assert hook.reached.wait(PATIENCE), "the hook isn't called"
    assert went_on.wait(PATIENCE), "no other node goes on while the hook blocks"
    soon(run.cancel, "cancel")
    assert soon(lambda: run.wait(PATIENCE), "wait").phase is Phase.ABORTED
    everything_works()


def test_a_display_that_blocks_holds_up_nothing() -> None:
    @flytenb.display_for(Thing)
    def shows(value: Any, view: Any) -> str:
        hook("display")
        return "thing"

    hook.arm("display")
    run = flytenb.start(things, x=1)
    showing = threading.Thread(target=lambda: flytenb.show(Thing(1))._repr_mimebundle_(), daemon=True)
    showing.start()
    assert hook.reached.wait(PATIENCE), "the display isn't called"
    assert went_on.wait(PATIENCE), "no node goes on while the display blocks"
    soon(run.cancel, "cancel")
    assert is_over(soon(lambda: run.wait(PATIENCE), "wait"))
    everything_works()


def test_a_listener_that_joins_later_and_blocks_holds_up_nothing() -> None:
    hook.arm("late listener")
    run = flytenb.start(plain, x=1)
    joining = threading.Thread(target=lambda: run.listen(lambda _: hook("late listener")), daemon=True)
    joining.start()
    assert hook.reached.wait(PATIENCE), "the listener isn't called"
    assert went_on.wait(PATIENCE), "no node goes on while the listener blocks"
    soon(run.cancel, "cancel")
    assert is_over(soon(lambda: run.wait(PATIENCE), "wait"))
    everything_works()


def test_a_job_that_can_t_be_deleted_in_time_holds_up_nothing() -> None:
    hook.arm("delete of a connector")
    run = soon(lambda: flytenb.start(on_late_service, x=1), "start")
    assert soon(lambda: run.wait(PATIENCE), "wait").phase is Phase.FAILED
    assert is_over(run)
    everything_works()


# --- hooks that raise ------------------------------------------------------------------------------------------------


def name_of(kind: type[BaseException]) -> str:
    return kind.__name__


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    "kind", [kind if kind is SystemExit else pytest.param(kind, marks=pytest.mark.slow) for kind in RAISED], ids=name_of
)
@pytest.mark.parametrize("place", PLACES, ids=repr)
def test_a_hook_that_raises_ends_at_most_its_node(place: Place, kind: type[BaseException]) -> None:
    arm(place, kind)
    run = begin(place)
    if place.name == "delete of a connector":
        went_on.wait(PATIENCE)
        soon(run.cancel, "cancel")
    soon(lambda: run.wait(PATIENCE), "wait")
    assert is_over(run), phases(run)
    assert went_on.is_set(), "the nodes beside didn't run"
    if not place.harms:
        assert run.phase is Phase.SUCCEEDED, run.error
    elif place.entity.name.endswith("fails"):
        assert run.phase is Phase.FAILED
        assert type(run.error.exception).__name__ == "Talkative"
    hook.disarm()
    everything_works()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", RAISED, ids=name_of)
@pytest.mark.parametrize("place", [p for p in PLACES if not p.harms], ids=repr)
def test_a_hook_that_raises_while_warnings_are_ignored_ends_nothing(place: Place, kind: type[BaseException]) -> None:
    test_a_hook_that_raises_ends_at_most_its_node(place, kind)


@pytest.mark.parametrize("kind", RAISED, ids=name_of)
def test_a_listener_that_raises_is_the_only_one_that_hears_no_more(kind: type[BaseException]) -> None:
    heard: list[Any] = []
    hook.arm("listener", kind)
    run = flytenb.options(listeners=[lambda _: hook("listener"), heard.append]).start(plain, x=1)
    assert soon(lambda: run.wait(PATIENCE), "wait").phase is Phase.SUCCEEDED
    wait_for(lambda: len(heard) == len(run.events))
    assert heard == list(run.events)


may_end = threading.Event()


@task
def ends_late(x: int) -> int:
    may_end.wait(PATIENCE)
    return x


@pytest.mark.parametrize("kind", RAISED, ids=name_of)
def test_every_job_is_called_at_the_end_whatever_the_others_raise(kind: type[BaseException]) -> None:
    called = threading.Event()
    may_end.clear()
    hook.arm("finish job", kind)
    run = flytenb.start(ends_late, x=1)
    run.on_finish(lambda: hook("finish job"))
    run.on_finish(called.set)
    may_end.set()
    assert soon(lambda: run.wait(PATIENCE), "wait").phase is Phase.SUCCEEDED
    assert called.wait(PATIENCE)


# --- the compile lock ------------------------------------------------------------------------------------------------


@workflow
def sub(x: int) -> int:
    return trivial(x=trivial(x=x))


@task
def fails_at_once(x: int) -> int:
    raise ValueError("at once")
    return x


@dynamic
def compiles(x: int) -> list[int]:
    return [sub(x=trivial(x=i)) for i in range(8)]


@eager
async def compiles_often(x: int) -> int:
    for i in range(4):
        x = sub(x=i)
    return x


@workflow
def compiles_beside_a_failure(x: int) -> tuple[list[int], int, int]:
    return compiles(x=x), create_node(compiles_often, x=x).o0, fails_at_once(x=trivial(x=x))


@workflow
def compiles_alone(x: int) -> tuple[list[int], int]:
    return compiles(x=x), create_node(compiles_often, x=x).o0


@pytest.mark.sampled(2)
@pytest.mark.parametrize("how", ["fails", "cancelled"])
def test_a_node_that_is_stopped_amid_a_compile_leaves_no_lock_behind(how: str) -> None:
    for number in range(40):
        what = f"after {number} runs, "
        if how == "fails":
            run = soon(lambda: flytenb.start(compiles_beside_a_failure, x=1), f"{what}start")
        else:
            run = soon(lambda: flytenb.start(compiles_alone, x=1), f"{what}start")
            threading.Event().wait(number / 4000)
            soon(run.cancel, f"{what}cancel")
        soon(lambda run=run: run.wait(PATIENCE), f"{what}wait")
        assert is_over(run), f"{what}{phases(run)}"
        done = soon(lambda: flytenb.start(sub, x=1).wait(PATIENCE), f"{what}the next run")
        assert done.result == 3
        assert "trivial" in soon(lambda: str(flytenb.draw(sub)), f"{what}the next drawing")
    everything_works()


@dynamic
def makes_many_nodes(x: int) -> list[int]:
    return [trivial(x=i) for i in range(300)]


def test_a_stop_never_comes_while_a_dynamic_makes_a_node(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it does, coroutines of flytekit are left that were never awaited."""
    gc.collect()
    left: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: left.append(unraisable.object))
    for number in range(60):
        run = flytenb.start(makes_many_nodes, x=1)
        threading.Event().wait(number / 1000)
        run.cancel()
        assert run.wait(PATIENCE).phase.is_terminal
    wait_for(are_workers_idle)
    gc.collect()
    assert left == []
