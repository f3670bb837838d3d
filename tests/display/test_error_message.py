"""What a card says of an error: the message without flytekit's words, code that never ran, lines that fit a page."""

from __future__ import annotations

import gc
import subprocess
import sys
from typing import Any

import pytest
from flytekit import eager, task, workflow

import flytenb
from flytenb.display.runs.error_card import card_lines
from flytenb.display.runs.error_message import message_lines
from flytenb.display.runs.hints import hint_for
from flytenb.display.runs.node_details import NodeDetails
from flytenb.display.runs.run_card import run_bundle
from flytenb.display.show import show
from flytenb.wording.text import WIDTH

pytestmark = [
    pytest.mark.filterwarnings("ignore:Implicitly cleaning up:ResourceWarning"),  # flytekit's, of each call
    pytest.mark.filterwarnings("ignore:coroutine 'AsyncPythonFunctionTask:RuntimeWarning"),  # what a mistake leaves
]


def failed_lines(entity: Any, **inputs: Any) -> list[str]:
    run = flytenb.start(entity, **inputs).wait()
    assert run.error is not None
    return card_lines(run)


@task
def long_line(x: int) -> int:
    return [x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x][x + 1000] + sum([x, x])


@task
def late_in_a_long_line(x: int) -> int:
    return sum([x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x]) // (x - x)


@task
def far_in_a_long_line(x: int) -> int:
    return [x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x][0] + int(f"{x}a")


@pytest.mark.parametrize(
    ("entity", "marked"),
    [(long_line, "[x, x"), (late_in_a_long_line, "sum([x, x"), (far_in_a_long_line, 'int(f"{x}a")')],
)
def test_carets_stay_below_what_is_shown_of_a_long_line(entity: Any, marked: str) -> None:
    lines = failed_lines(entity, x=1)
    assert max(map(len, lines)) <= WIDTH
    [at] = [n for n, line in enumerate(lines) if set(line.strip()) == {"^"}]
    assert lines[at - 1][lines[at].index("^") : len(lines[at])].startswith(marked)


@task
def evaluates(x: int) -> int:
    return int(eval("x +* 2"))


def test_a_syntax_error_shows_the_code_that_never_ran() -> None:
    lines = failed_lines(evaluates, x=1)
    at = lines.index("  <string>, line 1")
    assert lines[at + 1 : at + 3] == ["    x +* 2", "       ^"]


@task
def wrong(x: int) -> int:
    return "twelve"  # type: ignore[return-value]


def test_a_failed_conversion_names_both_types_once() -> None:
    said = " ".join(failed_lines(wrong, x=1))
    assert said.startswith("TypeTransformerFailedError: Failed to convert outputs of task")
    assert "Expected value of type <class 'int'> but got 'twelve' of type <class 'str'>." in said
    assert said.count("<class 'int'>") == said.count("Failed to convert") == 1
    assert "Error Message" not in said


@task
def lacks(x: int) -> int:
    return {"a": 1}[f"key {x}"]


@workflow
def lacking(x: int = 1) -> int:
    return lacks(x=x)


@task
def refuses(x: int) -> int:
    raise ValueError("not\na number")
    return x


@workflow
def refusing(x: int = 1) -> int:
    return refuses(x=x)


@pytest.mark.parametrize(
    ("entity", "said"), [(lacking, ["KeyError: 'key 1'"]), (refusing, ["ValueError: not", "  a number"])]
)
def test_the_error_of_a_plain_call_is_the_one_of_a_run(entity: Any, said: list[str]) -> None:
    with pytest.raises(Exception) as caught:
        entity()
    assert message_lines(caught.value, 3) == said == failed_lines(entity)[: len(said)]


def test_a_text_that_only_looks_like_flytekits_stays() -> None:
    assert message_lines(KeyError("a\nb"), 3) == [r"KeyError: 'a\nb'"]


@eager
async def later(x: int) -> dict[str, int]:
    return {"a": x}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_eager_task_in_a_workflow_gets_a_hint_for_any_type() -> None:
    @workflow
    def calls(x: int = 1) -> dict[str, int]:
        return later(x=x)  # type: ignore[no-any-return]

    with pytest.raises(Exception, match="not of container type") as caught:
        flytenb.start(calls)
    assert hint_for(caught.value).startswith("a workflow can't call an async or eager task")
    del caught, calls
    gc.collect()  # the coroutine that nothing awaits, here and not amid another test


@task
def colored(x: int) -> int:
    print("\rread 1/2\r\x1b[32mread 2/2\x1b[0m")
    raise ValueError("\x1b[1mE\x1b[0m   assert \x1b[31m1 == 2\x1b[0m")
    return x


def test_messages_and_logs_are_shown_without_colors_and_without_what_was_written_over() -> None:
    run = flytenb.start(colored, x=1).wait()
    assert card_lines(run)[0] == "ValueError: E   assert 1 == 2"
    details = NodeDetails.of(run, "n0", show)
    assert details.log == "read 2/2\n"
    assert "n0 (colored): read 2/2" in run_bundle(run, show)["text/html"]


@task
def commands(text: str) -> int:
    code = "import sys; print('read'); sys.stderr.write(sys.argv[1]); sys.exit(3)"
    subprocess.run([sys.executable, "-c", code, text], check=True, capture_output=True, text=True)
    return 0


@pytest.mark.parametrize(
    ("text", "line"), [("a\nno space left\n", "  its stderr: no space left"), ("", "  its stdout: read")]
)
def test_a_failed_command_shows_the_end_of_what_it_wrote(text: str, line: str) -> None:
    assert line in failed_lines(commands, text=text)


@task
def clean_up(x: int) -> None:
    raise OSError("can't remove the lock")


@workflow(on_failure=clean_up)
def handled(x: int = 1) -> int:
    return lacks(x=x)


def test_a_handler_that_fails_too_says_why() -> None:
    assert "  also failed: fn0 (clean_up): OSError: can't remove the lock" in failed_lines(handled)
