"""Tab in `%flyte` and `%%task` lines: what may come next there, and nothing in anybody else's line."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any, Literal

import pytest
from flytekit import task, workflow

import flytenb
from flytenb.magics.complete import Completer
from flytenb.magics.flyte import FlyteMagics
from flytenb.magics.options import OPTIONS
from flytenb.session import Session
from tests.kernel import Kernel


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@task
def paint(n: int, colour: Colour = Colour.RED, is_wet: bool = True, how: Literal["thin", "thick"] = "thin") -> int:
    return 1 // n


@workflow
def painted(n: int, colour: Colour = Colour.RED) -> int:
    return paint(n=paint(n=n, colour=colour))


@pytest.fixture
def session() -> Session:
    return Session()


@pytest.fixture
def completer(session: Session) -> Completer:
    namespace: dict[str, Any] = {"paint": paint, "painted": painted, "Colour": Colour, "number": 3, "_hidden": paint}
    return Completer(session, namespace)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("%flyte dr", ["draw"]),
        ("%flyte run", ["run", "runs"]),
        ("  %flyte d", ["draw", "debug"]),
        ("run = %flyte r", ["run", "runs"]),
        ("%flyte run ", ["paint", "painted"]),
        ("%flyte draw painte", ["painted"]),
        ("%flyte draw painted --up", ["--upstream"]),
        ("%flyte draw --depth 2 painted --d", ["--downstream"]),
        ("%flyte run --wor", ["--workers"]),
        ("%flyte draw painted --upstream ", ["n0", "n1", "paint"]),
        ("%flyte draw painted --between n0 n", ["n0", "n1"]),
        ("%flyte run paint(", ["n=", "colour=", "is_wet=", "how="]),
        ("%flyte run paint(n=3, ", ["colour=", "is_wet=", "how="]),
        ("%flyte run paint(n=max(1, 2), col", ["colour="]),
        ("%flyte run paint(colour=", ["Colour.RED", "Colour.BLUE"]),
        ("%flyte run paint(colour=Colour.B", ["Colour.BLUE"]),
        ("%flyte run paint(is_wet=", ["True", "False"]),
        ("%flyte run paint(how=", ["'thin'", "'thick'"]),
        ("%flyte run --workers 2 painted(", ["n=", "colour="]),
        ("%%task ret", ["retries="]),
        ("%%task retries=2, int", ["interruptible="]),
    ],
)
def test_what_may_come_next_is_offered(completer: Completer, line: str, expected: list[str]) -> None:
    offer = completer.offer(line)
    assert offer is not None
    assert list(offer.texts) == expected
    assert line.endswith(offer.fragment)


@pytest.mark.parametrize(
    "line",
    [
        "painted(",
        "x = %timeit painted(",
        "%flyte run paint(n=",
        "%flyte run paint(n=3)",
        "%flyte draw painted --save pic",
        "%flyte draw painted --depth ",
        "%%task retries=",
        "print('%flyte dr",
    ],
)
def test_where_nothing_of_ours_may_come_the_others_are_asked(completer: Completer, line: str) -> None:
    offer = completer.offer(line)
    assert offer is None or offer.texts == ()


def test_an_option_is_offered_once(completer: Completer) -> None:
    offer = completer.offer("%flyte draw painted --depth 2 --")
    assert offer is not None
    assert "--depth" not in offer.texts
    assert "--upstream" in offer.texts


def test_debug_offers_the_nodes_that_failed(completer: Completer, session: Session) -> None:
    session.keep(flytenb.start(painted, n=0).wait(20))
    offer = completer.offer("%flyte debug ")
    assert offer is not None
    assert offer.texts == ("n0", "paint")
    named = completer.offer("%flyte debug p")
    assert named is not None
    assert named.texts == ("paint",)


def test_every_verb_has_options_and_help() -> None:
    told = FlyteMagics.flyte.__doc__ or ""
    for verb in OPTIONS:
        assert f"%flyte {verb}" in told


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel() as kernel:
        kernel.run("""
            from flytekit import task, workflow
            import flytenb
            x = "mine"

            @task
            def divide(x: int, by: int = 0) -> int:
                # a comment that stays
                return x // by

            @workflow
            def divided(x: int = 7) -> int:
                return divide(x=x)
        """).ok()
        kernel.run("%flyte").ok()
        yield kernel


@pytest.mark.kernel
def test_tab_offers_it_in_a_real_kernel(kernel: Kernel) -> None:
    assert kernel.complete("%flyte dr") == ["draw"]
    assert {"divide", "divided"} <= set(kernel.complete("%flyte run "))
    assert set(kernel.complete("%flyte run divide(")) == {"x=", "by="}
    assert "retries=" in kernel.complete("%%task re")
    assert "divided" in kernel.complete("print(divid")


@pytest.mark.kernel
def test_each_verb_tells_of_itself(kernel: Kernel) -> None:
    for verb in OPTIONS:
        told = kernel.run(f"%flyte {verb} --help").ok().result or ""
        assert told.startswith(f"%flyte {verb}")
        assert len(told.splitlines()) >= 3
    assert "--workers" in (kernel.run("%flyte run --help").ok().result or "")


@pytest.mark.kernel
def test_debug_without_a_failure_says_so() -> None:
    with Kernel() as kernel:
        for verb in ("debug", "error"):
            assert kernel.run(f"%flyte {verb}").fails().ename == "UsageError"


@pytest.mark.kernel
def test_a_failed_node_can_be_tried_again_with_what_it_was_given(kernel: Kernel) -> None:
    error = kernel.run("%flyte run divided(x=7)").fails()
    assert error.traceback.splitlines()[1] == "  node n0 (divide) of divided failed"
    outcome = kernel.run("%flyte debug").ok()
    told = outcome.result or ""
    assert "x is in x_1" in told
    assert kernel.value("[x, x_1, by]") == ["mine", 7, 0]
    [payload] = [p for p in outcome.reply["payload"] if p["source"] == "set_next_input"]
    assert "# a comment that stays" in payload["text"]
    assert "@task" not in payload["text"]
    again = kernel.run(payload["text"]).fails()
    assert again.ename == "ZeroDivisionError"
    mended = kernel.run(payload["text"].replace("x // by", "x // (by + 1)")).ok()
    assert mended.result == "7"
    assert kernel.value("type(divide).__name__") == "PythonFunctionTask"


@pytest.mark.kernel
def test_the_debugger_begins_where_the_node_failed(kernel: Kernel) -> None:
    kernel.run("%flyte run divided(x=8)").fails()
    frames = "[f.f_code.co_name for f, _ in __import__('traceback').walk_tb(get_ipython().InteractiveTB.tb)]"
    assert kernel.value(frames)[-1] == "divide"
    values = "[f for f, _ in __import__('traceback').walk_tb(get_ipython().InteractiveTB.tb)][-1].f_locals['x']"
    assert kernel.value(values) == 8


@pytest.mark.kernel
def test_the_whole_traceback_is_one_verb_away(kernel: Kernel) -> None:
    kernel.run("%flyte run divided(x=7)").fails()
    told = kernel.run("%flyte error").ok().result or ""
    assert told.startswith("node n0 of divided")
    assert "Traceback (most recent call last)" in told
    assert "return x // by" in told
    assert kernel.run("%flyte debug nowhere").fails().ename == "UnknownNameError"


@pytest.mark.kernel
def test_an_error_of_flytekits_ends_with_its_hint_and_the_way_to_all_of_it(kernel: Kernel) -> None:
    error = kernel.run("""
        @workflow
        def impossible(x: int) -> int:
            return 1 if divide(x=x) else 2

        impossible(x=1)
    """).fails()
    *_, hint, more = error.traceback.splitlines()
    assert hint.strip().startswith("hint: in a workflow a task's output is a promise")
    assert more.strip() == "the whole traceback: %flyte error"
    assert "hint:" not in kernel.run("1/0").fails().traceback
