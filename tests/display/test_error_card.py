"""A failed run on one card: fifteen lines at most, the user's own code, causes, groups, retries; hints that fit."""

from __future__ import annotations

import asyncio
import gc
import json
import pickle
import re
import traceback
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flytekit import Cache, WorkflowFailurePolicy, approve, conditional, eager, map_task, task, workflow
from flytekit.core.context_manager import FlyteContextManager
from flytekit.core.type_engine import TypeEngine
from flytekit.exceptions.user import FlyteRecoverableException

import flytenb
from flytenb.display.runs.error_card import MOST_LINES, FullError, card_lines, failure_lines
from flytenb.display.runs.hints import hint_for
from flytenb.display.runs.node_details import NodeDetails, members_of
from flytenb.display.runs.run_card import run_bundle
from flytenb.display.show import show
from flytenb.errors import DefinitionError, own_frames
from flytenb.notebook.failures.error_cards import attach
from flytenb.notebook.live.messages import box_message
from flytenb.runner.run import Run
from flytenb.session.listing import Listing
from flytenb.wording.values import brief

HOSTILE = "</pre><script>alert(1)</script>\x1b[31m\u202e"


@task
def one(x: int) -> int:
    return x


@task
def words() -> list[str]:
    return ["a"]


@task
def flag() -> bool:
    return True


@eager
async def later(x: int) -> int:
    return one(x=x)


def failed(entity: Any, **inputs: Any) -> Run:
    run = flytenb.start(entity, **inputs).wait()
    assert run.error is not None
    return run


def _dig(x: int) -> int:
    return _dig(x - 1) if x else 1 // x


@task
def deep(x: int, note: str = HOSTILE) -> int:
    return _dig(x)


@workflow
def deeply(x: int = 3) -> int:
    return one(x=deep(x=x))


def test_the_card_has_the_node_its_inputs_the_users_frames_and_what_did_not_run() -> None:
    lines = card_lines(failed(deeply))
    assert lines[0] == "ZeroDivisionError: integer division or modulo by zero"
    assert lines[1] == "  node n0 (deep) of deeply failed"
    assert lines[2].startswith("  inputs: ")
    assert "x=3" in lines[2]
    assert any("in _dig" in line for line in lines)
    assert any("return _dig(x - 1) if x else 1 // x" in line for line in lines)
    assert "  did not run: n1 (one)" in lines
    assert lines[-1] == "  the whole traceback: %flyte error, or run.error.full()"
    assert not any("/flytekit/" in line or "flytenb/runner" in line for line in lines)


@task
def marked(x: int) -> int:
    wide, ü = {"日本": 0}, 1
    return ü + 1 // wide["日本"] + len("日本") * x  # 日本


@task
def in_two_lines(x: int) -> int:
    return 1 // (
        x - x
    )  # fmt: skip


def test_carets_are_below_the_expression_that_failed() -> None:
    lines = card_lines(failed(marked, x=1))
    at = next(n for n, line in enumerate(lines) if line.startswith("    ^"[:4]) and set(line.strip()) == {"^"})
    line, carets = lines[at - 1], lines[at]
    assert line[carets.index("^") : len(carets)] == '1 // wide["日本"]'
    assert not any("^" in line for line in card_lines(failed(in_two_lines, x=1)))


def test_nothing_of_a_users_text_can_act_on_a_terminal() -> None:
    lines = card_lines(failed(deeply))
    assert "\x1b" not in "".join(lines)
    assert "\u202e" not in "".join(lines)


@task
def chained(x: int) -> int:
    try:
        return {}[x]  # type: ignore[no-any-return]
    except KeyError as e:
        raise ValueError("no such x") from e


@task
def while_handling(x: int) -> int:
    try:
        return {}[x]  # type: ignore[no-any-return]
    except KeyError:
        return int("x")


@pytest.mark.parametrize(("entity", "words"), [(chained, "caused by KeyError: 7"), (while_handling, "while handling")])
def test_what_an_error_came_from_is_told(entity: Any, words: str) -> None:
    assert any(words in line for line in card_lines(failed(entity, x=7)))


def test_a_cause_that_was_hidden_stays_hidden() -> None:
    try:
        try:
            {}[7]
        except KeyError:
            raise ValueError("clean") from None
    except ValueError as e:
        error = e
    assert traceback.format_exception(error)
    run = failed(deeply)
    failure = type(run.error)(path="n0", exception=error, phase=run.error.phase)  # type: ignore[misc,union-attr]
    assert not any("KeyError" in line for line in failure_lines(run, failure))


@task
def several(x: int) -> int:
    raise ExceptionGroup("many", [ValueError(f"number {i}") for i in range(x)])
    return x


def test_a_group_of_exceptions_lists_its_members_and_counts_the_rest() -> None:
    lines = card_lines(failed(several, x=5))
    assert lines[0].startswith("ExceptionGroup: many")
    assert "  · ValueError: number 0" in lines
    assert "  · and 2 more" in lines


@task
def nested(x: int) -> int:
    raise ExceptionGroup("outer", [ValueError("a"), ExceptionGroup("inner", [TypeError("b"), OSError("c")])])
    return x


def test_a_group_inside_a_group_is_told_by_its_members() -> None:
    lines = card_lines(failed(nested, x=1))
    assert [line for line in lines if "·" in line] == ["  · ValueError: a", "  · TypeError: b", "  · OSError: c"]


@task
def noted(x: int) -> int:
    error = ValueError("what")
    error.add_note(f"first {HOSTILE}")
    error.add_note("second\nthird")
    raise error
    return x


def test_notes_are_told_below_the_message() -> None:
    lines = card_lines(failed(noted, x=1))
    assert lines[1:3] == ["  note: first </pre><script>alert(1)</script>\\x1b[31m\\u202e", "  note: second"]


@eager
async def awaits_a_task(x: int) -> int:
    return await one(x=x)  # type: ignore[misc,no-any-return]


def test_await_of_a_task_that_is_not_async_gets_a_hint() -> None:
    assert "  hint: the call of a task that isn't async has its value at once, also in an eager: leave out await" in (
        card_lines(failed(awaits_a_task, x=1))
    )


@workflow
def approved(x: int) -> int:
    return approve(one(x=x), "publish", timeout=timedelta(hours=1))  # type: ignore[no-any-return]


def test_a_rejected_gate_has_failed_in_the_words_of_other_nodes() -> None:
    run = flytenb.options(answers={"publish": False}).start(approved, x=1).wait()
    assert card_lines(run)[1:3] == ["  node n1 (publish) of approved failed", "  inputs: value=1"]
    assert "n1  publish  (gate · approve · timeout 1 h · failed · " in show(run).text
    assert [each.text for each in NodeDetails.of(run, "n1", show).inputs] == ["value = 1 (int)"]
    message = "the gate 'publish' was rejected"
    assert str(run.error) == f"FlyteDisapprovalException: {message}"
    assert box_message(run.nodes["n1"]._state, None)[4] == str(run.error)
    shown = [*run_bundle(run, show).values(), repr(Listing.of_runs([run]))]
    assert not [text for text in shown if "USER:" in text or "cause=" in text]


@eager
async def outer_eager(x: int) -> int:
    one(x=x)
    return await inner_eager(x=x)  # type: ignore[no-any-return]


@eager
async def inner_eager(x: int) -> int:
    return chained(x=x)


def test_an_eager_task_fails_at_the_call_that_failed_with_the_frames_on_the_way_and_its_own_cause() -> None:
    run = failed(outer_eager, x=7)
    lines = card_lines(run)
    assert lines[1] == "  node n0/e1/e0 (chained) of outer_eager failed"
    assert [line for line in lines if line.startswith("    ")] == [
        "    return await inner_eager(x=x)  # type: ignore[no-any-return]",
        "    return chained(x=x)",
        '    raise ValueError("no such x") from e',
        "    " + "^" * len('raise ValueError("no such x") from e'),
    ]
    assert any(line.startswith("  caused by KeyError: 7") for line in lines)
    assert run.error is not None
    assert isinstance(run.error.exception.__cause__, KeyError)


@workflow
def chooses(x: int) -> int:
    return conditional("c").if_(x > 0).then(chained(x=x)).else_().then(one(x=x))  # type: ignore[no-any-return]


def test_what_failed_by_what_is_in_it_was_not_stopped() -> None:
    lines = card_lines(failed(chooses, x=7))
    assert lines[1] == "  node n0/n0 (chained) of chooses failed"
    assert not [line for line in lines if line.startswith(("  stopped", "  did not run"))]


@task
def many_inputs(first: str, second: list[int]) -> int:
    return 1 // 0


def test_an_input_is_told_with_as_much_of_it_as_there_is_room_for() -> None:
    [line] = [x for x in card_lines(failed(many_inputs, first="a" * 30, second=[1] * 1000)) if "  inputs" in x]
    assert "a" * 30 in line
    assert line.endswith("more]")
    assert 80 < len(line) <= 100


@task
def one_long_input(rate: float, values: list[float]) -> float:
    return values[999]


def test_a_long_input_takes_the_room_that_short_ones_leave() -> None:
    [line] = [x for x in card_lines(failed(one_long_input, rate=0.1, values=[0.25] * 99)) if "  inputs" in x]
    assert line == f"  inputs: rate=0.1, values=[{'0.25, ' * 10}… 89 more]"


@pytest.mark.parametrize("limit", [20, 30, 40, 47, 68, 80])
@pytest.mark.parametrize("value", [[0.5] * 40, {i: i for i in range(50)}, ("word",) * 30])
def test_how_many_are_missing_is_told_within_the_limit(value: Any, limit: int) -> None:
    text = brief(value, limit)
    assert len(text) <= limit
    assert re.search(r"… \d+ more[\])}]$", text)


@workflow(failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
def everywhere(x: int = 0) -> int:
    chained(x=x)
    while_handling(x=x)
    return one(x=deep(x=x))


def test_several_failures_are_named() -> None:
    run = failed(everywhere)
    [line] = [line for line in card_lines(run) if line.startswith("  also failed: ")]
    assert line.count("(") == len(run.also_failed) == 2
    assert FullError.of(run).text.count("Traceback (most recent call last)") >= 3


@task(retries=2)
def flaky(x: int) -> int:
    raise FlyteRecoverableException(f"not now {x}")
    return x


def test_the_attempts_before_are_told() -> None:
    lines = card_lines(failed(flaky, x=4))
    assert "  node n0 (flaky) of flaky failed at attempt 3" in lines
    assert lines.count("  earlier: FlyteRecoverableException: not now 4") == 2


@task(retries=2)
def strict(x: int) -> int:
    if x < 0:
        raise ValueError("negative")
    return x


@workflow
def strict_map(xs: list[int]) -> list[int]:
    return map_task(strict)(x=xs)  # type: ignore[no-any-return]


@pytest.mark.parametrize(("entity", "given"), [(strict, {"x": -1}), (strict_map, {"xs": [1, -1]})])
def test_the_card_says_why_retries_were_not_used(entity: Any, given: dict[str, Any]) -> None:
    hint = "  hint: 2 retries left: only a FlyteRecoverableException is retried, as on a cluster"
    assert hint in card_lines(failed(entity, **given))


def test_retries_that_were_used_need_no_hint() -> None:
    assert not [line for line in card_lines(failed(flaky, x=4)) if "hint" in line]


@task(timeout=timedelta(milliseconds=100))
def slow(x: int) -> int:
    import time

    for _ in range(200):
        time.sleep(0.02)
    return x


def test_a_timeout_has_words_of_its_own() -> None:
    lines = card_lines(failed(slow, x=1))
    assert lines[0] == "NodeTimeoutError: slow took longer than its timeout of 100 ms"
    assert lines[1] == "  node n0 (slow) of slow"


@workflow
def slow_map(xs: list[int]) -> list[int]:
    return map_task(slow)(x=xs)  # type: ignore[no-any-return]


def test_a_message_names_the_element_of_a_map_as_the_card_and_the_tables_do() -> None:
    run = failed(slow_map, xs=[1])
    lines = card_lines(run)
    assert lines[0] == "NodeTimeoutError: slow[0] took longer than its timeout of 100 ms"
    assert lines[1] == "  node n0/0 (slow[0]) of slow_map"
    assert run.nodes.names()["n0/0"] == NodeDetails.of(run, "n0/0", show).name == "slow[0]"
    assert [name for _, name, _ in members_of(run.graph, ["n0/0"], run)] == ["slow[0]"]
    assert repr(FullError.of(run)).startswith("node n0/0 (slow[0]) of slow_map\n")


@task
def endless_words(x: int) -> int:
    raise ValueError("\n".join(f"line {i} " + "x" * 500 for i in range(100)))
    return x


@workflow(failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
def everything(x: int = 9) -> int:
    chained(x=x)
    last = endless_words(x=x)
    for _ in range(30):
        last = one(x=last)
    return last


@pytest.mark.parametrize("entity", [deeply, everywhere, everything])
def test_a_card_never_has_more_than_fifteen_lines_of_readable_width(entity: Any) -> None:
    lines = card_lines(failed(entity))
    assert len(lines) <= MOST_LINES
    assert all(len(line) <= 160 and "\n" not in line for line in lines)
    assert "whole traceback" in lines[-1]


def test_the_exception_carries_the_card_and_keeps_its_arguments() -> None:
    run = failed(deeply)
    attach(run)
    error: Any = run.error.exception  # type: ignore[union-attr]
    assert error._render_traceback_() == card_lines(run)
    assert error.args == ("integer division or modulo by zero",)


@task
def killed(x: int) -> int:
    import os

    if x < 0:
        os.kill(os.getpid(), -x)
    os._exit(x)
    return x


def test_a_task_in_a_process_of_its_own_shows_the_users_frames() -> None:
    run = flytenb.options(processes=True).start(deep, x=1, note="").wait()
    lines = card_lines(run)
    assert lines[0] == "ZeroDivisionError: integer division or modulo by zero"
    assert any("in _dig" in line for line in lines)
    assert not any("processes.py" in line for line in lines)


def test_an_error_that_is_raised_again_keeps_the_frames_of_its_process() -> None:
    run = flytenb.options(processes=True).start(deep, x=1, note="").wait()
    with pytest.raises(ZeroDivisionError):
        run.result  # noqa: B018
    assert any("in _dig" in line for line in card_lines(run))
    assert any("in _dig" in line for line in failure_lines(run, run.error, is_short=True))


@pytest.mark.slow
def test_a_lost_worker_has_words_of_its_own() -> None:
    run = flytenb.options(processes=True).start(killed, x=3).wait()
    lines = card_lines(run)
    assert lines[0] == "WorkerLostError: the process that ran 'killed' died before it answered (exit code 3)"
    assert lines[1] == "  node n0 (killed) of killed failed"
    assert not [line for line in lines if "caused by" in line]
    run = flytenb.options(processes=True).start(killed, x=-9).wait()
    assert card_lines(run)[0].endswith("died before it answered (SIGKILL)")


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")


@task
def mute(x: int) -> int:
    raise Mute
    return x


def test_an_exception_that_cannot_say_what_it_is_gets_a_card_all_the_same() -> None:
    assert card_lines(failed(mute, x=1))[0] == "Mute: (its message can't be read: RuntimeError)"


# --- hints: the message is always flytekit's own, made here by the mistake itself -------------------------------------


def if_promise(x: int) -> int:
    return one(x=1) if one(x=x) else one(x=2)


def compared_promise(x: int) -> int:
    return one(x=1) if one(x=x) > 3 else one(x=2)


def len_of_promise(x: int) -> int:
    return one(x=len(words()))


def loop_over_promise(x: int) -> int:
    return next(one(x=x) for _ in words())


def arithmetic(x: int) -> int:
    return one(x=one(x=x) + 1)


def arithmetic_from_the_left(x: int) -> int:
    return one(x=1 + one(x=x))


def f_string(x: int) -> int:
    return one(x=int(f"{one(x=x)}"))


def cast(x: int) -> int:
    return one(x=int(one(x=x)))


def negated(x: int) -> bool:
    return not flag()


def missing_keyword(x: int) -> int:
    return one()


def too_many_inputs(x: int) -> int:
    return one(x, x)


def extra_keyword(x: int) -> int:
    return one(x=x, y=2)


def condition_without_else(x: int) -> int:
    return conditional("c").if_(x > 1).then(one(x=x))


def condition_of_a_bare_promise(x: int) -> int:
    return conditional("c").if_(flag()).then(one(x=x)).else_().then(one(x=1))


def condition_of_plain_python(x: int) -> int:
    return conditional("c").if_(True).then(one(x=x)).else_().then(one(x=1))


def condition_with_and(x: int) -> int:
    return conditional("c").if_(x > 1 and x < 3).then(one(x=x)).else_().then(one(x=1))


def not_awaited(x: int) -> int:
    return one(x=later(x=x))


def no_return(x: int) -> int:
    one(x=x)


def unannotated(x) -> int:
    return one(x=x)


def method_of_promise(x: int) -> int:
    return one(x=one(x=x).bit_length())


def json_of_promise(x: int) -> int:
    return one(x=len(json.dumps(one(x=x))))


def wrong_text_of_promise(x: int) -> int:
    return one(x=f"{one(x=x)}")


def task_instead_of_its_call(x: int) -> int:
    return one(x=one)


def too_many_outputs(x: int) -> int:
    return one(x=x), one(x=x)  # type: ignore[return-value]


def too_few_outputs(x: int) -> tuple[int, int]:
    return one(x=x)  # type: ignore[no-any-return]


def condition_without_if(x: int) -> int:
    return conditional("c").then(one(x=x))  # type: ignore[attr-defined,no-any-return]


def condition_of_a_function(x: int) -> int:
    return conditional("c").if_(x > 1).then(lambda: one(x=x)).else_().then(one(x=x))


def map_over_one(x: int) -> list[int]:
    return map_task(one)(x=3)  # type: ignore[no-any-return]


WORKFLOWS: list[tuple[Callable[..., Any], str]] = [
    (if_promise, "decide with flytekit.conditional"),
    (negated, "decide with flytekit.conditional"),
    (compared_promise, "decide with conditional"),
    (condition_with_and, "& and |"),
    (len_of_promise, "call len() inside a task"),
    (loop_over_promise, "loop inside a task"),
    (arithmetic, "compute with it inside a task"),
    (arithmetic_from_the_left, "compute with it inside a task"),
    (cast, "compute with it inside a task"),
    (f_string, "make the text inside a task"),
    (missing_keyword, "pass every input by name"),
    (extra_keyword, "isn't declared"),
    (too_many_inputs, "than are declared"),
    (condition_without_else, "else_()"),
    (condition_of_a_bare_promise, "is_true()"),
    (condition_of_plain_python, "joined by & and |"),
    (not_awaited, "await it"),
    (no_return, "add the return"),
    (unannotated, "annotate every parameter"),
    (method_of_promise, "has no methods"),
    (json_of_promise, "compute with it inside a task"),
    (wrong_text_of_promise, "make the text inside a task"),
    (task_instead_of_its_call, "call it"),
    (too_many_outputs, "declare every output"),
    (too_few_outputs, "return as many"),
    (condition_without_if, "starts with .if_"),
    (condition_of_a_function, "takes the call of a task"),
    (map_over_one, "maps over lists"),
]


@pytest.mark.sampled(5)
@pytest.mark.parametrize(("function", "hint"), WORKFLOWS, ids=lambda v: getattr(v, "__name__", ""))
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_workflow_with_a_classic_mistake_gets_its_hint(function: Callable[..., Any], hint: str) -> None:
    with pytest.raises(Exception) as caught:
        workflow(function).compile()
    found = hint_for(caught.value)
    del caught
    gc.collect()  # the coroutine that isn't awaited warns here, where that is allowed, not in a later test
    assert hint in found


def restricted(x: tuple[int, ...]) -> int:
    return 1


def test_an_unsupported_type_gets_its_hint() -> None:
    with pytest.raises(Exception) as caught:
        task(restricted)
    assert "NamedTuple" in hint_for(caught.value)


@task
def wrong_output(x: int) -> int:
    return "a"  # type: ignore[return-value]


@task
def coroutine_output(x: int) -> int:
    coroutine = asyncio.sleep(0)
    coroutine.close()
    return coroutine  # type: ignore[return-value]


def test_a_literal_of_another_type_gets_its_hint() -> None:
    context = FlyteContextManager.current_context()
    literal = TypeEngine.to_literal(context, 1, int, TypeEngine.to_literal_type(int))
    with pytest.raises(Exception) as caught:
        TypeEngine.to_python_value(context, literal, str)
    assert "compare the two annotations" in hint_for(caught.value)


@pytest.mark.parametrize(
    ("entity", "hint"),
    [
        (wrong_output, "return annotation"),
        (coroutine_output, "await it"),
    ],
)
def test_a_failed_run_with_a_classic_mistake_gets_its_hint(entity: Any, hint: str) -> None:
    lines = card_lines(failed(entity, x=1))
    assert not [line for line in lines if "while handling" in line]  # what flytekit did meanwhile
    assert any(line.startswith("  hint: ") and hint in line for line in lines)


def test_our_own_errors_bring_their_own_hint_and_strange_ones_get_none() -> None:
    assert hint_for(flytenb.FlytenbError("no", hint="yes")) == "yes"
    assert hint_for(ValueError("something else")) == ""
    assert hint_for(Mute()) == ""


def _needs_two(a: int, b: int) -> int:
    return a


@task
def calls_wrongly(x: int) -> int:
    return _needs_two(x)  # type: ignore[call-arg]


@task
def pickles(x: int) -> int:
    return len(pickle.dumps(lambda: x))


@task
def speaks_like_flytekit(x: int) -> int:
    if x:
        raise ValueError("Tuples are not a supported type, Promise(node:n0), was not specified for function f")
    return x


@task
def has_a_coroutine(x: int) -> int:
    raise TypeError("'coroutine' object")
    return x


@pytest.mark.parametrize("entity", [calls_wrongly, pickles, speaks_like_flytekit, has_a_coroutine])
@pytest.mark.parametrize("processes", [False, True])
def test_what_a_tasks_own_code_gets_wrong_gets_no_hint_about_flyte(entity: Any, processes: bool) -> None:
    run = flytenb.options(processes=processes).start(entity, x=1).wait()
    assert not [line for line in card_lines(run) if "hint:" in line]


def test_a_call_without_its_input_gets_a_hint_only_if_it_is_a_tasks_own_call() -> None:
    for call, hint in [(lambda: one(), "by name"), (lambda: calls_wrongly(x=1), ""), (lambda: _needs_two(1), "")]:  # type: ignore[call-arg]
        with pytest.raises(TypeError, match="missing 1 required") as caught:
            call()
        assert hint in hint_for(caught.value)
        assert bool(hint_for(caught.value)) is bool(hint)


@pytest.mark.parametrize(
    ("define", "hint"),
    [
        (lambda: task(retires=2)(restricted), "did you mean 'retries'?"),
        (lambda: workflow(interruptable=True)(one_more), "did you mean 'interruptible'?"),
        (lambda: task(cache=True)(one_more), "Cache(version='1')"),
        (lambda: task(cache=Cache())(one_more), "Cache(version='1')"),
    ],
)
def test_an_argument_of_a_decorator_that_is_wrong_gets_its_hint(define: Callable[[], Any], hint: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        define()
    assert hint in hint_for(caught.value)


def one_more(x: int) -> int:
    return x + 1


class Unsendable:
    def __reduce__(self) -> Any:
        raise TypeError("cannot pickle this")


@task
def gives_unsendable(x: int) -> Unsendable:
    return Unsendable()


def test_frames_of_libraries_that_flytekit_calls_are_nobodys() -> None:
    run = failed(gives_unsendable, x=1)
    assert not [line for line in card_lines(run) if "cloudpickle" in line]
    assert run.error is not None
    assert [f.name for f in run.error.frames] == ["__reduce__"]
    with pytest.raises(Exception) as caught:
        one(x="a")
    assert [f.filename for f in own_frames(caught.value.__traceback__)] == [__file__]


def test_what_cannot_travel_back_from_a_process_is_said_without_the_frames_of_pickle() -> None:
    run = flytenb.options(processes=True).start(gives_unsendable, x=1).wait()
    lines = card_lines(run)
    assert lines[0].startswith("TravelError: what the task returned can't travel back from its process: Unsendable")
    assert not [line for line in lines if "cloudpickle" in line]


class Odd(Exception):
    @property
    def __notes__(self) -> Any:
        raise RuntimeError("no notes")


class Locked(Exception):
    def __setattr__(self, name: str, value: Any) -> None:
        raise RuntimeError("nothing can be set")


@task
def odd(x: int) -> int:
    raise (Odd if x else Locked)("odd")
    return x


def test_an_exception_that_lets_nobody_look_at_it_or_mark_it_stays_the_runs_error() -> None:
    assert card_lines(failed(odd, x=1))[:2] == ["Odd: odd", "  node n0 (odd) of odd failed"]
    run = failed(odd, x=0)
    attach(run)
    assert card_lines(run)[0] == "Locked: odd"


@task
def endlessly(x: int) -> int:
    error: BaseException | None = None
    for i in range(3000):
        made = ValueError(f"level {i}")
        made.__cause__, error = error, made
    assert error is not None
    raise error
    return x


@task
def in_a_circle(x: int) -> int:
    one_error, other = ValueError("one"), ValueError("other")
    one_error.__cause__, other.__cause__ = other, one_error
    raise one_error
    return x


@task
def crowded(x: int) -> int:
    raise ExceptionGroup("huge", [ValueError(str(i)) for i in range(50_000)])
    return x


@pytest.mark.parametrize("entity", [endlessly, in_a_circle, crowded])
def test_causes_without_end_and_crowds_have_a_card_and_a_whole_traceback(entity: Any) -> None:
    run = failed(entity, x=1)
    assert len(card_lines(run)) <= 11
    assert "Error" in FullError.of(run).text


@workflow
def in_a_ring(x: int) -> int:
    first, second, third = one(x=x), one(x=x), one(x=x)
    first >> second >> third
    third >> first
    return first


def test_nodes_that_wait_for_each_other_are_refused_before_anything_runs() -> None:
    for verb in (flytenb.graph, lambda entity: flytenb.start(entity, x=1)):
        with pytest.raises(DefinitionError, match="in_a_ring: nodes wait for each other: n0 → n1 → n2 → n0"):
            verb(in_a_ring)
