"""Messages of a run's edges: conversions, fetched entities, gates of a script, node names, inputs by position."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flytekit import approve, conditional, dynamic, map_task, task, wait_for_input, workflow
from flytekit.core.type_engine import TypeEngine, TypeTransformer
from flytekit.models.literals import Literal, Primitive, Scalar
from flytekit.models.types import LiteralType, SimpleType

import flytenb
from flytenb.bridge.execution.packing import explain_input
from flytenb.errors import InputError, NodeTimeoutError, RemoteEntityError
from tests.bridge.test_graphs_remote import fetch, measure, plan, twice
from tests.kernel import Kernel


class Sealed:
    """Its transformer refuses to write a few."""

    def __init__(self, word: str) -> None:
        self.word = word


class SealedTransformer(TypeTransformer[Sealed]):
    def __init__(self) -> None:
        super().__init__("sealed", Sealed)

    def get_literal_type(self, t: Any) -> LiteralType:
        return LiteralType(simple=SimpleType.STRING)

    def to_literal(self, ctx: Any, python_val: Sealed, python_type: Any, expected: Any) -> Literal:
        if python_val.word == "closed":
            raise ValueError("it is closed")
        if python_val.word == "torn":
            raise ValueError('{\n  "word": [\n    "it is torn"\n  ]\n}')
        return Literal(scalar=Scalar(primitive=Primitive(string_value=python_val.word)))

    def to_python_value(self, ctx: Any, lv: Literal, expected_python_type: Any) -> Sealed:
        return Sealed(lv.scalar.primitive.string_value)


TypeEngine.register(SealedTransformer())


@task
def read(sealed: Sealed) -> str:
    return sealed.word


@task
def inc(n: int, by: int = 1) -> int:
    return n + by


@workflow
def chained(n: int, times: int = 3) -> int:
    for _ in range(3):
        n = inc(n=n).with_overrides(node_name="step")
    return n


@workflow
def beside(n: int) -> tuple[int, int]:
    first = inc(n=n).with_overrides(node_name="step")
    second = inc(n=n, by=5).with_overrides(node_name="step")
    return first, second


# --- conversions ------------------------------------------------------------------------------------------------------


def test_a_value_of_its_type_that_can_t_be_converted_isn_t_called_one_of_another() -> None:
    with pytest.raises(InputError) as raised:
        flytenb.run(read, sealed=Sealed("closed"))
    assert "sealed=" in raised.value.message
    assert "can't be converted to Sealed" in raised.value.message
    assert "it is closed" in raised.value.hint
    assert raised.value.message.startswith("read:")


def test_a_reason_of_several_lines_is_named_in_full() -> None:
    with pytest.raises(InputError) as raised:
        flytenb.run(read, sealed=Sealed("torn"))
    assert raised.value.hint == '{ "word": [ "it is torn" ] }'


class Stubborn(Exception):
    def __str__(self) -> str:
        return "my own words"


class Frozen(Exception):
    @property
    def args(self) -> tuple[Any, ...]:  # type: ignore[override]
        return ("frozen",)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("bad"), KeyError("bad"), OSError(2, "bad"), ExceptionGroup("bad", [ValueError("x")]),
        Stubborn("bad"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), Frozen(), ValueError(), SystemError("bad", 3),
    ],
    ids=lambda e: type(e).__name__,
)  # fmt: skip
def test_an_explained_error_names_task_input_and_type_and_keeps_its_words(error: Exception) -> None:
    said = str(error)
    explain_input(error, "use", "box", list[int])
    reported = "\n".join([str(error), *getattr(error, "__notes__", ())])
    assert "'box'" in reported.replace('\\"', '"').replace("\\'", "'")
    assert "'use'" in reported.replace("\\'", "'")
    assert "list[int]" in reported
    assert said in reported or said.strip("'") in reported


# --- fetched entities -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entity", [measure, twice, plan], ids=["task", "workflow", "launch plan"])
@pytest.mark.parametrize("positional", [(), (1,)])
def test_a_fetched_entity_says_that_it_is_remote(entity: Any, positional: tuple[int, ...]) -> None:
    far = fetch(entity)
    for verb in (flytenb.run, flytenb.start, flytenb.options(stand_ins={}).run):
        with pytest.raises(RemoteEntityError, match=r"was fetched from a cluster \(p/d/v\)") as raised:
            verb(far, *positional, **({} if positional else {"x": 1}))
        assert "stand_ins" in raised.value.hint


far_task, far_plan = fetch(measure), fetch(plan)
far_plan._interface = plan.interface


@workflow
def over(x: int) -> float:
    return far_task(x=x, unit="km")


@workflow
def deeper(x: int) -> float:
    return over(x=x)


@workflow
def mapped(xs: list[int]) -> list[float]:
    return map_task(far_plan)(x=xs)


@workflow
def chosen(x: int) -> float:
    return conditional("c").if_(x > 0).then(far_task(x=x, unit="km")).else_().fail("no")


@pytest.mark.parametrize(
    ("entity", "inputs"), [(over, {"x": 1}), (deeper, {"x": 1}), (mapped, {"xs": [1]}), (chosen, {"x": 1})],
    ids=["node", "subworkflow", "map", "case"],
)  # fmt: skip
def test_a_workflow_that_calls_one_says_so_before_anything_runs(entity: Any, inputs: dict[str, Any]) -> None:
    with pytest.raises(RemoteEntityError, match=r"'(measure|twice)' was fetched from a cluster"):
        flytenb.start(entity, **inputs)


def test_it_can_still_be_drawn() -> None:
    assert "measure" in flytenb.draw(over).text
    assert "measure" in flytenb.draw(far_task).text


@dynamic
def calls_one(x: int) -> float:
    return far_task(x=x, unit="km")


def test_a_dynamic_that_calls_one_fails_with_the_same_words() -> None:
    run = flytenb.start(calls_one, x=1).wait()
    assert run.error is not None
    assert isinstance(run.error.exception, RemoteEntityError)


# --- gates in a script ------------------------------------------------------------------------------------------------


@task
def one() -> int:
    return 1


@workflow
def approved() -> int:
    return approve(one(), "release", timeout=timedelta(seconds=1))


@workflow
def asked() -> int:
    return wait_for_input("how many\x1b[2J", timeout=timedelta(seconds=1), expected_type=int)


@pytest.mark.parametrize(
    ("entity", "path", "words"),
    [(approved, "n1", "run.approve('n1')"), (asked, "n0", "run.set_input('n0', …)")],
    ids=["approve", "input"],
)
def test_a_gate_under_a_blocking_run_says_how_it_is_answered(
    entity: Any, path: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NodeTimeoutError):
        flytenb.run(entity)
    said = capsys.readouterr().err
    assert f"{path} waits:" in said
    assert f"flytenb.options(answers={{'{path}':" in said
    assert f"flytenb.start(…) and call {words}" in said
    assert "\x1b" not in said


def test_what_is_started_or_answered_beforehand_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    flytenb.start(approved).wait()
    assert flytenb.options(answers={"n1": True}).run(approved).result == 1
    assert capsys.readouterr().err == ""


# --- node names -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entity", "inputs", "expected"), [(chained, {"n": 1}, 4), (beside, {"n": 1}, (2, 6))], ids=["chained", "beside"]
)
def test_nodes_of_one_name_run_and_are_warned_of_as_that(entity: Any, inputs: dict[str, Any], expected: Any) -> None:
    entity.compiled = False
    entity._nodes, entity._output_bindings = [], []
    with pytest.warns(
        UserWarning, match=f"{entity.short_name}: node_name='step' is given to more than one node"
    ) as reported:
        assert flytenb.run(entity, **inputs).result == expected
    assert all(w.filename == __file__ for w in reported if "node_name" in str(w.message))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert flytenb.run(entity, **inputs).result == expected  # once is enough


# --- inputs by position -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("positional", "named", "expected"), [((1,), {}, 2), ((1, 5), {}, 6), ((1,), {"by": 2}, 3), ((), {"n": 1}, 2)]
)
def test_inputs_may_be_given_by_position(positional: tuple[int, ...], named: dict[str, int], expected: int) -> None:
    assert flytenb.run(inc, *positional, **named).result == expected
    assert flytenb.start(inc, *positional, **named).wait().result == expected
    prepared = flytenb.options(workers=2)
    assert prepared.run(inc, *positional, **named).result == expected
    assert prepared.start(inc, *positional, **named).wait().result == expected


@pytest.mark.parametrize(
    ("positional", "named", "words"),
    [
        ((1, 2, 3), {}, "inc takes 2 inputs, 3 were given"),
        ((1,), {"n": 2}, "'n' is given twice"),
        ((), {}, "'n' (int)"),
    ],
)
def test_too_many_twice_or_too_few_are_named(positional: Any, named: dict[str, int], words: str) -> None:
    with pytest.raises(InputError, match=re.escape(words)):
        flytenb.run(inc, *positional, **named)


def test_an_input_may_be_called_as_the_functions_own_parameters() -> None:
    @task
    def odd(entity: int, positional: int, inputs: int) -> int:
        return entity + positional + inputs

    assert flytenb.run(odd, entity=1, positional=2, inputs=3).result == 6


# --- without flytekit -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def without() -> Iterator[Kernel]:
    with Kernel(flytenb=False) as kernel:
        kernel.run("import sys; sys.modules['flytekit'] = None")
        yield kernel


@pytest.mark.kernel
def test_without_flytekit_one_message_says_so_once(without: Kernel) -> None:
    said = [without.run("%load_ext flytenb")]
    said += [without.run(f"x = {n}; import time; time.sleep(0)") for n in range(3)]
    reported = [outcome.stderr for outcome in said if outcome.stderr] or [str(without.run("%flyte").error)]
    assert len(reported) == 1
    assert "flytekit can't be imported" in reported[0]
    assert "-m pip install flytekit" in reported[0]
    assert without.run("y = 1").stderr == ""
    for cell in ("%flyte run f(n=1)", "%%task\ndef f(n: int) -> int:\n    return n", "%flyte"):
        error = without.run(cell).error
        assert error is not None
        assert error.ename == "FlytekitError"
        assert len(error.traceback.splitlines()) <= 3
    assert without.run("%unload_ext flytenb\n1 + 1").result == "2"
