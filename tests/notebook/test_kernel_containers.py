"""`%%container` in a real kernel: a cell of another language becomes an entity, again when it is run again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kernel import Kernel

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel() as kernel:
        kernel.run("""
            import flytenb
            from dataclasses import dataclass
            from flytekit import kwtypes, map_task, workflow
            from flytekit.types.file import FlyteFile
            %config FlyteMagics.engine = "host"

            @dataclass
            class Size:
                width: int
        """).ok()
        kernel.run("""
            %%container --lang sh add(a: int, b: int = 2) -> int
            o0=$((a + b))
        """).ok()
        yield kernel


def test_the_cell_is_an_entity_of_its_name(kernel: Kernel) -> None:
    kernel.run("""
        @workflow
        def total(a: int) -> int:
            return add(a=add(a=a), b=1)
    """).ok()
    assert kernel.value("flytenb.run(total, a=1).result") == 4
    assert "Shell" in kernel.run("add").ok().shown
    assert "add" in kernel.run("%flyte").ok().shown


def test_a_workflow_uses_the_cell_that_was_run_last(kernel: Kernel) -> None:
    kernel.run("""
        %%container --lang python twice(size: Size) -> kwtypes(size=Size, text=str)
        size = {"width": 2 * size["width"]}
        text = "first"
    """).ok()
    kernel.run("""
        @workflow
        def grown(width: int) -> tuple[Size, str]:
            made = twice(size=Size(width=3))
            return made.size, made.text
    """).ok()
    assert kernel.value("repr(flytenb.run(grown, width=3).result.o0)") == "Size(width=6)"
    kernel.run("""
        %%container --lang python twice(size: Size) -> kwtypes(size=Size, text=str)
        size = {"width": 20 * size["width"]}
        text = "second"
    """).ok()
    assert kernel.value("[flytenb.run(grown, width=3).result.o0.width, flytenb.run(grown, width=3).result.o1]") == [
        60,
        "second",
    ]


def test_the_options_are_those_of_the_container(kernel: Kernel) -> None:
    kernel.run("""
        %%container --lang sh --image alpine:3 --cpu 500m --memory 1Gi --environment GREETING=hi greet(x: str) -> str
        o0="$GREETING $x"
    """).ok()
    assert kernel.value("flytenb.run(greet, x='you').result") == "hi you"
    settings = kernel.run("greet").ok().shown
    for fact in ("alpine:3", "500m", "1Gi"):
        assert fact in settings


def test_the_failing_line_of_the_cell_is_shown(kernel: Kernel) -> None:
    kernel.run("""
        %%container --lang python failing(n: int) -> float
        half = n / 2
        o0 = half / 0
    """).ok()
    failed = kernel.run("%flyte run failing(n=1)")
    assert failed.error is not None
    assert failed.error.ename == "ContainerExitError"
    assert "line 2: o0 = half / 0" in failed.error.traceback


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("f(x: int)", "needs a language"),
        ("--lang cobol f(x: int)", "expected a language, got 'cobol'"),
        ("--lang python", "expected a signature"),
        ("--lang python f(x)", "needs a type"),
        ("--lang python f(*xs: int)", "needs a type"),
        ("--lang python f(x: Missing)", "Missing"),
        ("--lang python f(x: object)", "object has no form in another language"),
        ("--lang python f(class_: int, x: set)", "set has no form"),
        ("--lang sh f(xs: dict[str, int])", "sh"),
        ("--lang python f(x: int, x: int)", "input 'x' is declared twice"),
        ("--lang python f() -> kwtypes(y=int, y=str)", "output 'y' is declared twice"),
        ("--lang python f() -> kwtypes(int)", "expected outputs as NAME=TYPE, got 'kwtypes(int)'"),
        ("--lang python f() -> tuple[int, str]", "expected names for several outputs, got tuple[int, str]"),
        ("--lang python f(x: 'int')", "expected a type, got the text 'int'"),
        (
            "--lang python --timeout 1h f(x: int)",
            "--timeout must be an expression for seconds or a timedelta, got '1h'",
        ),
        ("--lang python --environment A=1,B f(x: int)", "must be NAME=VALUE,NAME=VALUE, got 'B' in 'A=1,B'"),
        ("--lang python --cpu fast f(x: int)", "cpu of container cell 'f': expected a positive quantity"),
        ("--lang python f(x: int = 'a')", "default of input 'x' of 'f': expected int, got 'a'"),
        ("--lang python --colour red f(x: int)", "unknown option '--colour'"),
    ],
)
def test_a_wrong_line_says_why_and_leaves_what_was_there(kernel: Kernel, line: str, says: str) -> None:
    kernel.run("f = 'kept'").ok()
    outcome = kernel.run(f"%%container {line}\ny = 1")
    assert outcome.error is not None
    assert says in f"{outcome.error.evalue}\n{outcome.error.traceback}"
    assert kernel.value("f") == "kept"
