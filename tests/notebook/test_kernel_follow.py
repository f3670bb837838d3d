"""A followed call in a real kernel: what starts a run, what ends one, and what stays visible."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kernel import Kernel, Outcome

pytestmark = pytest.mark.kernel

BASE = """
import threading
import flytenb
from flytekit import task, workflow
gate = threading.Event()
gate.set()
calls = []

def scale(x): return x * 2

@task
def first(x: int) -> int:
    calls.append(len(calls))  # what a run changes itself is no edit
    while not gate.wait(0.01):
        pass
    return x + 1

@task
def last(x: int) -> int:
    return scale(x)

@workflow
def wf(x: int = 1) -> int:
    return last(x=first(x=x))
"""


@pytest.fixture(scope="module")
def shared() -> Iterator[Kernel]:
    with Kernel() as kernel:
        yield kernel


@pytest.fixture
def kernel(shared: Kernel) -> Iterator[Kernel]:
    shared.run(BASE).ok()
    yield shared
    shared.run("gate.set()\n%flyte follow --stop").ok()


def follow(kernel: Kernel, call: str = "wf(x=3)") -> Outcome:
    """Follow a call, and wait until its first result is shown."""
    shown = kernel.run(f"f = %flyte follow {call}").ok()
    kernel.wait_for(lambda: "o0 = 8" in shown.shown)
    return shown


def edit(kernel: Kernel, factor: int) -> None:
    kernel.run(f"def scale(x): return x * {factor}").ok()


def test_a_followed_call_is_shown_once_and_begins_with_its_start(kernel: Kernel) -> None:
    shown = kernel.run("%flyte follow wf(x=3)").ok()
    kernel.wait_for(lambda: "o0 = 8" in shown.shown)
    assert "<Follow" not in shown.shown
    assert "<Follow wf(x=3)" in kernel.run("from flytenb.session.host import host\nhost.session.follows[0]").ok().shown


def test_an_edit_runs_the_call_again_in_the_same_output(kernel: Kernel) -> None:
    shown = follow(kernel)
    edit(kernel, 5)
    kernel.wait_for(lambda: "o0 = 20" in shown.shown and "o0 = 8" not in shown.shown)  # at first as last good values
    kernel.wait_for(lambda: "following wf(x=3) · waiting for an edit" in shown.shown)
    kernel.run("@task\ndef last(x: int) -> int:\n    return -x").ok()
    kernel.wait_for(lambda: "o0 = -4" in shown.shown)
    kernel.run("@workflow\ndef wf(x: int = 1) -> int:\n    return first(x=x)").ok()
    kernel.wait_for(lambda: "o0 = 4" in shown.shown)
    kernel.wait_for(lambda: kernel.value("f.run is f.good"))


def test_a_cell_that_changes_nothing_of_it_starts_nothing(kernel: Kernel) -> None:
    follow(kernel)
    kernel.run("before = f.run").ok()
    for source in (
        "other = 1",
        "def unused(x): return x",
        "def scale(x):\n    # the same\n    return x * 2",
        "scale(2)",
    ):
        kernel.run(source).ok()
        assert kernel.value("f.run is before")
    kernel.run("calls.append(0)").ok()
    kernel.wait_for(lambda: kernel.value("f.run is not before"))


def test_an_edit_while_it_runs_cancels_that_run_and_the_last_good_values_stay(kernel: Kernel) -> None:
    shown = follow(kernel)
    kernel.run("gate.clear()").ok()
    edit(kernel, 5)
    kernel.run("second = f.run").ok()
    kernel.wait_for(lambda: "· running" in shown.shown and "the last good values" in shown.shown)
    assert "o0 = 8" in shown.shown
    edit(kernel, 7)
    kernel.run("second.wait()\ngate.set()").ok()
    kernel.wait_for(lambda: "o0 = 28" in shown.shown)
    assert "o0 = 20" not in shown.shown
    assert kernel.value("str(second.phase)") == "ABORTED"


def test_a_failing_edit_shows_the_error_and_the_last_good_values(kernel: Kernel) -> None:
    shown = follow(kernel)
    kernel.run("def scale(x): raise ValueError('too small')").ok()
    kernel.wait_for(lambda: "too small" in shown.shown and "last good" in shown.shown)
    assert "o0 = 8" in shown.shown
    kernel.run("del last").ok()
    kernel.run("@workflow\ndef wf(x: int = 1) -> int:\n    return first(x='no')").ok()
    kernel.wait_for(lambda: "no run was started" in shown.shown)
    assert "o0 = 8" in shown.shown
    kernel.run(BASE).ok()
    kernel.wait_for(lambda: "waiting for an edit" in shown.shown and "last good" not in shown.shown)
    assert "o0 = 8" in shown.shown
    assert "no run was started" not in shown.shown


def test_of_ten_quick_edits_the_newest_wins_and_one_run_is_on_at_a_time(kernel: Kernel) -> None:
    shown = follow(kernel)
    kernel.run("gate.clear()").ok()
    for factor in range(10, 20):
        edit(kernel, factor)
    kernel.run("gate.set()").ok()
    kernel.wait_for(lambda: "o0 = 76" in shown.shown)
    kernel.run("""
        from flytenb.session.host import host
        began = [run for run in host.session.runs if run.started]
        ends = [run.started + run.duration for run in began]
        apart = all(end <= later.started for end, later in zip(ends, began[1:]))
    """).ok()
    assert kernel.value("[apart, f.run.result, host.session.runs[-1] is f.run]") == [True, 76, True]


def test_a_run_of_the_user_is_another_run(kernel: Kernel) -> None:
    shown = follow(kernel)
    kernel.run("before = f.run\nown = flytenb.run(wf, x=10)").ok()
    assert kernel.value("[own.result, f.run is before]") == [22, True]
    edit(kernel, 5)
    kernel.wait_for(lambda: "o0 = 20" in shown.shown)
    assert kernel.value("own.result") == 22


def test_a_function_follows_too_and_what_is_stopped_runs_no_more(kernel: Kernel) -> None:
    shown = kernel.run("f = flytenb.follow(wf, x=3)").ok()
    kernel.wait_for(lambda: "o0 = 8" in shown.shown)
    kernel.run("gate.clear()").ok()
    edit(kernel, 5)
    kernel.run("f.stop()\nf.run.wait()").ok()
    kernel.wait_for(lambda: "following wf(3) · stopped" in shown.shown or "wf(x=3) · stopped" in shown.shown)
    assert kernel.value("str(f.run.phase)") == "ABORTED"
    kernel.run("gate.set()\nbefore = f.run").ok()
    edit(kernel, 9)
    assert kernel.value("f.run is before")
    assert "%flyte follow needs a call" in kernel.run("%flyte follow").fails().evalue


def test_without_a_reader_each_later_cell_publishes_the_present_state(kernel: Kernel) -> None:
    kernel.run("import os\nos.environ['FLYTENB_STATIC'] = '1'").ok()
    shown = kernel.run("f = %flyte follow wf(x=3)\nrun = f.run.wait()").ok()
    kernel.run("del os.environ['FLYTENB_STATIC']").ok()
    assert "o0 = 8" in shown.shown
    edit(kernel, 5)
    kernel.run("run = f.run.wait()").ok()
    assert "o0 = 20" in shown.shown
    assert "o0 = 8" not in shown.shown
    kernel.run("%flyte follow --stop").ok()
    assert "following wf(x=3) · stopped" in shown.shown


def test_unloading_the_extension_stops_it() -> None:
    with Kernel() as kernel:
        kernel.run(BASE).ok()
        follow(kernel)
        kernel.run("gate.clear()").ok()
        edit(kernel, 5)
        kernel.run("%unload_ext flytenb").ok()
        assert kernel.value("[f.is_stopped, f.is_running]")[0]
        kernel.run("before = f.run").ok()
        edit(kernel, 9)
        assert kernel.value("f.run is before")


CHAIN = """
import threading
from flytekit import task, workflow
gate = threading.Event()
gate.set()
bodies = []
def ran(name): bodies.append(name)

@task
def first(x: int) -> int:
    ran("first")
    return x + 1

@task
def left(x: int) -> int:
    ran("left")
    while not gate.wait(0.01):
        pass
    return 10 * x

@task
def right(x: int) -> int:
    ran("right")
    return 100 * x

@task
def last(x: int, y: int) -> int:
    ran("last")
    return x + y

@workflow
def wf(x: int) -> int:
    return last(x=left(x=first(x=x)), y=right(x=first(x=x)))
"""
LEFT = CHAIN[CHAIN.index("@task\ndef left") : CHAIN.index("@task\ndef right")]
LAST = CHAIN[CHAIN.index("@task\ndef last") : CHAIN.index("@workflow")]


def test_only_what_an_edit_affects_runs(kernel: Kernel) -> None:
    kernel.run(CHAIN).ok()
    shown = kernel.run("f = %flyte follow wf(x=1)").ok()

    def edited(cell: str, text: str) -> list[str]:
        """Run a cell, wait for a text in the output, and return the bodies that have run."""
        kernel.run("bodies.clear()").ok()
        kernel.run(cell).ok()
        kernel.wait_for(lambda: text in shown.shown)
        return list(kernel.value("sorted(bodies)"))

    kernel.wait_for(lambda: "o0 = 220" in shown.shown)
    assert edited(LEFT.replace("10 *", "20 *"), "o0 = 240") == ["last", "left"]
    assert edited(LAST.replace("x + y", "x - y"), "o0 = -160") == ["last"]
    failing = LEFT.replace("return 10 * x", "assert x < 2, 'too large'\n    return x")
    assert edited(failing, "too large") == ["left"]
    assert edited(LEFT, "o0 = -180") == ["last", "left"]
    same = "@workflow\ndef wf(x: int) -> int:\n    return last(x=left(x=first(x=x)), y=right(x=first(x=x)))\n"
    assert edited(same.replace("x=x)))", "x=x)) + 0)"), "no run was started") == []
    assert edited(same.replace("y=right", "y=left"), "o0 = 0") == ["last", "left"]
    assert edited("@workflow\ndef other(x: int) -> int:\n    return left(x=first(x=x))\nwf = other", "o0 = 20") == [
        "first",
        "left",
    ]


def test_after_a_cancelled_run_only_what_is_affected_since_the_good_one_runs(kernel: Kernel) -> None:
    kernel.run(CHAIN).ok()
    shown = kernel.run("f = %flyte follow wf(x=1)").ok()
    kernel.wait_for(lambda: "o0 = 220" in shown.shown)
    kernel.run("bodies.clear()\ngate.clear()").ok()
    kernel.run(LEFT.replace("10 *", "70 *")).ok()
    kernel.wait_for(lambda: kernel.value("bodies == ['left']"))
    kernel.run("cancelled = f.run").ok()
    kernel.run(LAST.replace("x + y", "x - y")).ok()
    kernel.run("gate.set()").ok()
    kernel.wait_for(lambda: "o0 = -60" in shown.shown)
    assert kernel.value("str(cancelled.phase)") == "ABORTED"
    assert kernel.value("sorted(bodies)") == ["last", "left", "left"]
