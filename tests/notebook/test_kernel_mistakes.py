"""What a person gets wrong, in a real kernel: a real error with the bad value and the way out, and the kernel lives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernel import Kernel, code_cells

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

DEFINITIONS = """
import pathlib, threading
from enum import Enum
import flytekit, flytenb
from flytekit import task, workflow

class Colour(Enum):
    RED = "red"
    BLUE = "blue"

raised = []

@task
def halve(n: int, colour: Colour = Colour.RED) -> float:
    if n < 0:
        raised.append(LookupError("negative", n))
        raise raised[-1]
    return n / 2

@task
def doubled(x: float) -> float:
    return 2 * x

@workflow
def there_and_back(n: int, colour: Colour = Colour.RED) -> float:
    return doubled(x=halve(n=n, colour=colour))
"""


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel() as kernel:
        kernel.run(DEFINITIONS).ok()
        yield kernel


@pytest.fixture(autouse=True)
def kernel_lives_on(kernel: Kernel) -> Iterator[None]:
    yield
    kernel.run("run = %flyte run there_and_back(n=3)").ok()
    assert kernel.value("run.result") == 3.0


@pytest.mark.parametrize(
    ("cell", "ename", "words"),
    [
        ("%flyte run there_and_bock(n=3)", "UnknownNameError", ["'there_and_bock'", "'there_and_back'"]),
        ("%flyte draw there_and_bock", "UnknownNameError", ["'there_and_bock'", "'there_and_back'"]),
        ("%flyte rum there_and_back(n=3)", "UsageError", ["'rum'", "'run'"]),
        ("%flyte run there_and_back", "UsageError", ["'there_and_back'", "there_and_back("]),
        ("%flyte run", "UsageError", ["needs a call"]),
        ("%flyte run there_and_back(n=", "UsageError", ["'there_and_back(n='"]),
        ("%flyte run there_and_back(n=3) --worker 2", "UsageError", ["'--worker'", "'workers'"]),
        ("%flyte run there_and_back(n=3) --workers two", "UsageError", ["'two'"]),
        ("%flyte draw there_and_back --upstream doubbled", "UnknownNameError", ["'doubbled'", "'doubled'"]),
        ("%flyte draw Colour", "NotAnEntityError", ["task, workflow"]),
        ("flytenb.run(3)", "NotAnEntityError", ["'int'"]),
        ("flytenb.options(worker=2)", "TypeError", ["'worker'"]),
        ("flytenb.options(workers=0)", "UsageError", ["workers must be an integer >= 1, got 0"]),
        ("%flyte run there_and_back()", "InputError", ["'n'", "int", "missing"]),
        ("flytenb.run(there_and_back)", "InputError", ["'n'", "int", "missing"]),
        ("%flyte run there_and_back(n='three')", "InputError", ["expected int for input 'n', got 'three'"]),
        ("%flyte run there_and_back(n=3.5)", "InputError", ["expected int for input 'n', got 3.5"]),
        ("%flyte run there_and_back(n=None)", "InputError", ["expected int for input 'n', got None"]),
        ("%flyte run there_and_back(n=3, coulor=Colour.BLUE)", "InputError", ["'coulor'", "'colour'"]),
        ("%flyte run there_and_back(n=3, colour='green')", "InputError", ["Colour for input 'colour', got 'green'"]),
        ("%flyte run there_and_back(m=3, coulor=1)", "InputError", ["'n'", "'m'", "'coulor'", "'colour'"]),
        ("%flyte run there_and_back(n='x', colour=7)", "InputError", ["input 'n', got 'x'", "input 'colour', got 7"]),
        ("%flyte run there_and_back(n='x', coulor=7)", "InputError", ["input 'n', got 'x'", "'coulor'"]),
        ("%flyte run there_and_back(1, Colour.RED, 3)", None, ["there_and_back"]),
        ("%flyte run there_and_back(n=missing_name)", "NameError", ["'missing_name'"]),
        ("%flyte run there_and_back(n=1 // 0)", "ZeroDivisionError", ["division"]),
    ],
)
def test_a_mistake_is_a_real_error_with_the_bad_value_and_the_way_out(
    kernel: Kernel, cell: str, ename: str | None, words: list[str]
) -> None:
    error = kernel.run(cell).fails()
    assert error.ename == (ename or error.ename)
    for word in words:
        assert word in error.traceback
    if ename is not None and "flytenb" in kernel.value(f"getattr(flytenb.errors, {ename!r}, int).__module__"):
        # Two lines: the frames between a cell and this message would explain nothing.
        assert "Traceback" not in error.traceback


def test_nothing_has_run_when_an_input_is_wrong(kernel: Kernel) -> None:
    kernel.run("before = len(get_ipython().run_line_magic('flyte', 'runs').rows)").ok()
    outcome = kernel.run("%flyte run there_and_back(n='three')")
    assert outcome.fails().ename == "InputError"
    assert outcome.bundles == []
    kernel.run("after = len(get_ipython().run_line_magic('flyte', 'runs').rows)").ok()
    assert kernel.value("after - before") == 0


@pytest.mark.parametrize("cell", ["x = (1,", "%%task\ndef broken(x: int) -> int:\n    return x +", "%%task\ndef ("])
def test_a_cell_with_a_syntax_error_shows_the_line(kernel: Kernel, cell: str) -> None:
    error = kernel.run(cell).fails()
    assert error.ename in ("SyntaxError", "_IncompleteInputError")
    assert cell.splitlines()[-1] in error.traceback


def test_a_failed_task_is_named_with_its_inputs_and_the_users_own_line(kernel: Kernel) -> None:
    outcome = kernel.run("%flyte run there_and_back(n=-4)")
    error = outcome.fails()
    assert (error.ename, error.evalue) == ("LookupError", "('negative', -4)")
    for word in ("n0", "halve", "-4", "raise raised[-1]", "n1"):
        assert word in error.traceback
    assert len(error.traceback.splitlines()) <= 15
    assert "failed" in outcome.shown.lower()
    assert any("halve" in picture for picture in outcome.pictures)


def test_the_way_to_the_whole_traceback_that_a_failure_names_is_there(kernel: Kernel) -> None:
    error = kernel.run("%flyte run there_and_back(n=-9)").fails()
    way = error.traceback.partition("the whole traceback: ")[2].partition(",")[0].strip()
    assert way
    whole = kernel.run(way).ok().shown
    assert "('negative', -9)" in whole
    assert "raise raised[-1]" in whole


def test_the_users_exception_is_the_object_that_was_raised_and_untouched(kernel: Kernel) -> None:
    kernel.run("""
        raised.clear()
        try:
            flytenb.run(there_and_back, n=-5)
        except LookupError as e:
            caught = e
        try:
            there_and_back(n=-6)
        except LookupError as e:
            by_flytekit = e
    """).ok()
    assert kernel.value("[caught is raised[0], caught.args]") == [True, ("negative", -5)]
    # What the repair is for: flytekit itself writes its own words into the exception.
    assert kernel.value("by_flytekit.args") != ("negative", -6)


def test_the_run_of_a_failed_task_tells_the_whole_story(kernel: Kernel) -> None:
    kernel.run("failed = flytenb.start(there_and_back, n=-7).wait()").ok()
    assert kernel.value("[str(failed.phase), failed.error.path, failed.error.inputs['n']]") == ["FAILED", "n0", -7]
    assert kernel.value("failed.error.exception is raised[-1]")
    assert kernel.value("[str(failed.nodes[p].phase) for p in ('n0', 'n1')]") == ["FAILED", "ABORTED"]
    assert kernel.value("[failed.nodes['n0'].error is failed.error, failed.nodes['n1'].error, failed.outputs]") == [
        True,
        None,
        {},
    ]
    full = kernel.value("failed.error.full()")
    assert "raise raised[-1]" in full
    assert "LookupError" in full
    assert re.search(r"^  Cell In\[\d+\], line \d+, in \w+\n    raise raised", full, flags=re.MULTILINE)
    assert kernel.run("failed.result").fails().ename == "LookupError"


def test_a_wrong_output_names_the_task_and_the_value(kernel: Kernel) -> None:
    kernel.run("@task\ndef liar(x: int) -> int:\n    return f'{x}!'").ok()
    error = kernel.run("%flyte run liar(x=1)").fails()
    for word in ("liar", "1!", "int"):
        assert word in error.traceback


@pytest.mark.parametrize("verb", ["run", "draw"])
def test_a_plain_workflow_that_does_not_compile_says_why_each_time(kernel: Kernel, verb: str) -> None:
    kernel.run("@workflow\ndef crooked(n: int) -> float:\n    return doubled(x='wide')").ok()
    for _ in range(2):
        error = kernel.run(f"%flyte {verb} crooked" + "(n=1)" * (verb == "run")).fails()
        assert "wide" in error.traceback
        assert "doubled" in error.traceback
    assert "crooked" in kernel.run("%flyte").ok().shown
    assert "crooked" in kernel.run("crooked").shown
    kernel.run("@workflow\ndef crooked(n: int) -> float:\n    return halve(n=n)").ok()
    kernel.run("mended = %flyte run crooked(n=8)").ok()
    assert kernel.value("mended.result") == 4.0
    kernel.run("del crooked").ok()


def test_the_card_of_a_workflow_that_does_not_compile_tells_why_and_the_way_out_apart(kernel: Kernel) -> None:
    shown = kernel.run('@workflow\ndef written(n: int) -> str:\n    return f"{doubled(x=1.0)}"\nwritten').ok().shown
    _, _, told = shown.partition("\ndoes not compile")
    why, way = (" ".join(part.split()) for part in told.split("\nhint "))
    assert "DefinitionError: written: the output 'o0' would be the text" in why
    assert "hint" not in why
    assert "make the text inside a task" in way
    kernel.run("del written").ok()


def test_every_cell_can_be_run_twice_in_any_order(kernel: Kernel) -> None:
    with Kernel() as fresh:
        cells = [
            *code_cells(),
            DEFINITIONS,
            "%%workflow\ndef celled(n: int) -> float:\n    return doubled(x=halve(n=n))",
            "%flyte draw celled",
            "run = %flyte run celled(n=6)",
            "celled",
            "%flyte",
        ]
        for cell in [*[c for c in cells for _ in range(2)], *cells]:
            fresh.run(cell).ok()
        assert fresh.value("run.result") == 6.0
        rows = fresh.run("len(get_ipython().run_line_magic('flyte', '').rows)").ok()
        assert rows.result == "7"


def test_interrupting_a_run_cancels_it_and_leaves_the_kernel_usable(kernel: Kernel) -> None:
    kernel.run("""
        never = threading.Event()
        events = []

        @task
        def stuck(x: int) -> int:
            pathlib.Path(f"stuck{x}").touch()
            never.wait(600)
            return x

        @workflow
        def waits(x: int) -> int:
            return stuck(x=stuck(x=x))
    """).ok()
    cells = ["%flyte run waits(x=1)", "flytenb.options(listeners=[events.append]).run(waits, x=2)"]
    for number, cell in enumerate(cells, 1):
        outcome = kernel.run(cell, interrupt_when=(kernel.cwd / f"stuck{number}").exists)
        assert outcome.fails().ename == "KeyboardInterrupt"
        assert "stopped" in outcome.shown.lower()
        assert kernel.run("1 + 1").result == "2"
    said = "[(e.path, str(e.phase)) for e in events if e.kind == 'phase']"
    kernel.wait_for(lambda: kernel.value(said)[-1:] == [("", "ABORTED")])
    last = kernel.value(said)
    assert ("n1", "ABORTED") in last
    assert ("n1", "RUNNING") not in last
    kernel.run("rows = get_ipython().run_line_magic('flyte', 'runs').rows[-2:]").ok()
    assert kernel.value("[row[1:3] for row in rows]") == [("waits", "■ stopped")] * 2
    kernel.run("never.set()")


def test_interrupting_the_wait_for_a_run_leaves_it_on(kernel: Kernel) -> None:
    kernel.run("""
        go = threading.Event()

        @task
        def held(x: int) -> int:
            go.wait(600)
            return x
    """).ok()
    # In a cell of its own: on a busy machine the task is at work before `start` has come back.
    kernel.run("background = flytenb.start(held, x=4)").ok()
    waiting = kernel.cwd / "waiting"
    waiting.unlink(missing_ok=True)
    outcome = kernel.run("pathlib.Path('waiting').touch()\nbackground.wait()", interrupt_when=waiting.exists)
    assert outcome.fails().ename == "KeyboardInterrupt"
    assert kernel.value("str(background.phase)") == "RUNNING"
    kernel.run("go.set(); background.wait()").ok()
    assert kernel.value("background.result") == 4


PROMISES = """
from flytekit import conditional, task, workflow

@task
def count(n: int) -> int:
    return n

@task
def counts(n: int) -> list[int]:
    return [n]

@task
def say(s: str) -> str:
    return s
"""


@pytest.fixture(scope="module")
def promises(kernel: Kernel) -> Kernel:
    kernel.run(PROMISES).ok()
    return kernel


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("return count(n=n) if count(n=n) > 3 else n", "conditional("),
        ("return count(n=len(counts(n=n)))", "call len() inside a task"),
        ("return count(n=count(n=n) + 1)", "compute with it inside a task"),
        ("return [count(n=x) for x in counts(n=n)][0]", "map_task"),
        ("return [count(n=x) for x in range(count(n=n))][0]", "count inside a task"),
        ("return count()", "by name"),
        ("return count(m=n)", "compare the name"),
        ("return conditional('c').if_(count(n=n)).then(count(n=n)).else_().then(count(n=n))", ".if_(flag.is_true())"),
    ],
)
@pytest.mark.parametrize("way", ["@workflow", "%%workflow"])
def test_a_mistake_in_a_workflow_shows_its_line_and_a_hint_and_none_of_flytekits_frames(
    promises: Kernel, line: str, hint: str, way: str
) -> None:
    cell = f"{way}\ndef mistaken(n: int = 1) -> int:\n    {line}"
    error = promises.run(cell if way == "%%workflow" else f"{cell}\ndrawn = %flyte draw mistaken").fails()
    lines = error.traceback.splitlines()
    assert f"    {line}" in lines
    assert any(text.startswith("  hint: ") and hint in text for text in lines)
    assert len(lines) <= 15
    assert "site-packages" not in error.traceback
    assert "run_line_magic" not in error.traceback


@pytest.mark.parametrize("verb", ["lens", "run", "draw", "show", "form"])
def test_a_verb_of_ours_without_its_argument_is_pythons_own_error(promises: Kernel, verb: str) -> None:
    error = promises.run(f"flytenb.{verb}()").fails()
    assert error.ename == "TypeError"
    assert "hint:" not in error.traceback


def test_the_whole_traceback_of_a_mistake_in_a_definition_is_one_line_away(promises: Kernel) -> None:
    error = promises.run("@task\ndef untyped(n) -> int:\n    return n").fails()
    assert "annotate every parameter" in error.traceback
    assert "flytekit/core" not in error.traceback
    whole = promises.run("%flyte error").ok().shown
    assert "flytekit/core/interface.py" in whole
    promises.run("%flyte run there_and_back(n=-4)").fails()
    assert "'negative', -4" in promises.run("%flyte error").ok().shown


def test_the_text_of_a_promise_is_refused_each_time_before_it_is_drawn_or_run(promises: Kernel) -> None:
    promises.run("@workflow\ndef written(n: int = 1) -> str:\n    return say(s=f'got {count(n=n)}')").ok()
    for cell in ("%flyte run written(n=1)", "%flyte draw written", "%flyte run written(n=1)"):
        error = promises.run(cell).fails()
        assert error.ename == "DefinitionError"
        assert "'s' of n1" in error.traceback
        assert "make the text inside a task" in error.traceback


def test_who_asks_for_long_tracebacks_gets_them(promises: Kernel) -> None:
    promises.run("%xmode Verbose").ok()
    try:
        error = promises.run("@task\ndef untyped(n) -> int:\n    return n").fails()
    finally:
        promises.run("%xmode Context").ok()
    assert "flytekit/core/interface.py" in error.traceback
    assert "hint: Flyte moves values by their types" in error.traceback


def test_a_group_of_exceptions_is_an_error_output_with_its_members(promises: Kernel) -> None:
    error = promises.run("""
        @task
        def several(n: int) -> int:
            if n:
                raise ExceptionGroup("several", [ValueError("one"), TypeError("two")])
            return n
        %flyte run several(n=1)
    """).fails()
    assert error.ename == "ExceptionGroup"
    assert "· ValueError: one" in error.traceback
    assert "· TypeError: two" in error.traceback
    bare = promises.run("raise ExceptionGroup('bare', [ValueError('one')])").fails()
    assert "ValueError: one" in bare.traceback


def test_a_task_that_exits_fails_with_a_card(promises: Kernel) -> None:
    error = promises.run("""
        import sys

        @task
        def leaves(n: int) -> int:
            if n:
                sys.exit(3)
            return n
        %flyte run leaves(n=1)
    """).fails()
    assert error.traceback.splitlines()[:2] == ["SystemExit: 3", "  node n0 (leaves) of leaves failed"]
    assert "    sys.exit(3)" in error.traceback.splitlines()


def test_a_task_in_a_process_of_its_own_fails_with_the_cell_and_the_line(promises: Kernel) -> None:
    error = promises.run("""
        def upside_down(n):
            return 1 // n

        @task
        def inverse(n: int) -> int:
            return upside_down(n)
        %flyte run inverse(n=0) --processes
    """).fails()
    lines = error.traceback.splitlines()
    place = next(i for i, line in enumerate(lines) if line.endswith("in upside_down"))
    assert lines[place].startswith("  Cell In[")
    assert lines[place + 1] == "    return 1 // n"


@pytest.mark.parametrize("slots", ["", "    __slots__ = ()\n"])
@pytest.mark.parametrize("cell", ["%flyte run silent(n=1)", "raise Mute"])
def test_an_exception_whose_own_words_fail_is_one_error_output_all_the_same(
    promises: Kernel, slots: str, cell: str
) -> None:
    promises.run(f"class Mute(Exception):\n{slots}    def __str__(self): raise RuntimeError('no words')").ok()
    promises.run("@task\ndef silent(n: int) -> int:\n    if n: raise Mute\n    return n").ok()
    outcome = promises.run(cell)
    assert [o["ename"] for o in outcome.outputs if o["output_type"] == "error"] == ["Mute"]
    assert outcome.fails().evalue == "(its message can't be read: RuntimeError)"
    assert (outcome.reply["ename"], outcome.reply["evalue"]) == outcome.fails()[:2]
    assert outcome.stderr == ""
    if not slots and cell.startswith("%flyte"):
        assert "node n0 (silent)" in outcome.fails().traceback


@pytest.mark.parametrize("cell", ["%flyte run after_group(n=1)", "after_group.task_function(n=1)"])
def test_what_comes_after_a_group_of_exceptions_is_an_error_output_too(promises: Kernel, cell: str) -> None:
    promises.run("""
        @task
        def after_group(n: int) -> int:
            try:
                raise ExceptionGroup("several", [ValueError("one")])
            except ExceptionGroup as e:
                raise RuntimeError("after it") from e
            return n
    """).ok()
    outcome = promises.run(cell)
    assert outcome.fails()[:2] == ("RuntimeError", "after it")
    assert "ExceptionGroup: several" in outcome.fails().traceback
    assert outcome.stderr == ""


def test_the_users_line_is_shown_and_not_the_librarys(promises: Kernel) -> None:
    error = promises.run("""
        import json
        @task
        def parse(s: str) -> str:
            return json.loads(s)["a"]
        %flyte run parse(s="{")
    """).fails()
    lines = error.traceback.splitlines()
    assert '    return json.loads(s)["a"]' in lines
    assert any(line.startswith("  raised in json/decoder.py, line ") for line in lines)


def test_an_error_in_a_file_with_magics_that_is_run_has_the_file_and_its_line(promises: Kernel, tmp_path: Path) -> None:
    file = tmp_path / "flow.ipy"
    file.write_text(
        "from flytekit import task\n\n\n@task\ndef bad(x: int) -> int:\n"
        "    raise ValueError(x)\n    return x\n\n\n%flyte run bad(x=1)\n",
        encoding="utf-8",
    )
    lines = promises.run(f"%run {file}").fails().traceback.splitlines()
    assert f"  {file}, line 6, in bad" in lines
    assert re.search(r"defined in +flow\.ipy, line 4", promises.run("bad").ok().shown)
    lines = promises.run("%flyte run bad(x=2)").fails().traceback.splitlines()
    assert f"  {file}, line 6, in bad" in lines, "also later"


def test_an_element_of_a_map_is_named_and_its_facts_are_at_hand(promises: Kernel) -> None:
    error = promises.run("""
        import flytekit
        @task
        def fragile(n: int) -> int:
            print("at", n)
            if n == 3:
                raise ValueError("three")
            return n
        @workflow
        def fragiles(ns: list[int]) -> list[int]:
            return flytekit.map_task(fragile)(n=ns)
        %flyte run fragiles(ns=[1, 2, 3, 4])
    """).fails()
    assert "node n0/2 (fragile[2])" in error.traceback
    promises.run("element = get_ipython().magics_manager.registry['FlyteMagics']._session.runs[-1].nodes['n0/2']").ok()
    assert promises.value("[element.inputs, element.log, str(element.error)]") == [
        {"n": 3}, "at 3\n", "ValueError: three"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("returns", "line", "place"),
    [
        ("str", 'return say(s=f"{count(n=n)}")', "the input 's' of n1"),
        ("str", 'return f"{count(n=n)}"', "the output 'o0'"),
        ("list[str]", 'return ["plain", str(count(n=n))]', "the output 'o0'"),
        ("dict[str, str]", 'return {"k": f"<{count(n=n)}>"}', "the output 'o0'"),
    ],
)
def test_the_text_of_a_promise_is_refused_wherever_it_stands(
    promises: Kernel, returns: str, line: str, place: str
) -> None:
    promises.run(f"@workflow\ndef written(n: int = 1) -> {returns}:\n    {line}").ok()
    for verb in ("draw written", "run written(n=1)"):
        error = promises.run(f"%flyte {verb}").fails()
        assert f"written: {place} would be the text " in error.traceback
        assert "make the text inside a task" in error.traceback


BODIES = {
    "a conditional without an else": (
        'return conditional("c").if_(n > 1).then(count(n=n))',
        ["mistaken: the conditional 'c' has no end", ".else_().then(…)"],
        1,
    ),
    "a conditional that ends with elif": (
        'return conditional("c").if_(n > 1).then(count(n=n)).elif_(n > 2).then(count(n=n))',
        ["the conditional 'c' has no end"],
        1,
    ),
    "an else without a then": (
        'return conditional("c").if_(n > 1).then(count(n=n)).else_()',
        ["the conditional 'c' has no end"],
        1,
    ),
    "an unused conditional, whose tasks would be lost": (
        'conditional("c").if_(n > 1).then(count(n=n))\n    return count(n=n)',
        ["the conditional 'c' has no end"],
        1,
    ),
    "a conditional without an end as an input": (
        'c = conditional("c").if_(n > 1).then(count(n=n))\n    return count(n=c)',
        ["the conditional 'c' has no end"],
        1,
    ),
    "more outputs than declared": ("return count(n=n), count(n=n)", ["only one return value"], 1),
    "an output of another type": ("count(n=n)\n    return 'text'", ["Failed to bind output o0"], 2),
    "a task as output": ("count(n=n)\n    return count", ["Failed to bind output o0", "call it"], 2),
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("way", ["%flyte draw mistaken", "%flyte run mistaken(n=1)", "mistaken(n=1)"])
def test_what_a_workflows_function_returns_wrongly_is_told_at_its_line(promises: Kernel, name: str, way: str) -> None:
    body, words, line = BODIES[name]
    promises.run(f"from flytekit import conditional\n@workflow\ndef mistaken(n: int = 1) -> int:\n    {body}").ok()
    for _ in range(2):
        error = promises.run(way).fails()
        for word in words:
            assert word in error.traceback
        assert f"    {body.splitlines()[line - 1].strip()}" in error.traceback.splitlines()
        assert len(error.traceback.splitlines()) <= 10
        assert "site-packages" not in error.traceback
        assert "USER:" not in error.traceback


def test_an_async_workflow_is_refused_where_it_is_defined(promises: Kernel) -> None:
    error = promises.run("%%workflow\nasync def floating(n: int) -> int:\n    return count(n=n)").fails()
    assert "floating is async, which a workflow can't be" in error.traceback
    assert "make it @eager" in error.traceback
    assert "never awaited" not in promises.run("import gc; gc.collect()").ok().stderr


def test_a_conditional_with_an_end_is_none_of_our_business(promises: Kernel) -> None:
    promises.run("""
        from flytekit import conditional
        @workflow
        def ended(n: int = 1) -> int:
            inner = conditional("inner").if_(n > 3).then(count(n=n)).else_().fail("small")
            return conditional("outer").if_(n > 1).then(count(n=n)).else_().then(
                conditional("nested").if_(n > 0).then(count(n=n)).else_().fail("none")
            )
        drawn = flytenb.graph(ended)
    """).ok()
    assert promises.value("len(drawn.nodes) > 5")


def test_the_text_of_a_promise_is_refused_in_a_direct_call_and_in_a_dynamic(promises: Kernel) -> None:
    promises.run("@workflow\ndef written(n: int = 1) -> str:\n    return say(s=f'got {count(n=n)}')").ok()
    promises.run("@flytekit.dynamic\ndef grown(n: int = 1) -> str:\n    return say(s=f'got {count(n=n)}')").ok()
    for cell in ("written(n=1)", "written(n=1)", "%flyte run grown(n=1)"):
        error = promises.run(cell).fails()
        assert error.ename == "DefinitionError"
        assert "make the text inside a task" in error.traceback


def test_a_text_that_only_looks_like_a_promise_is_the_users_own(promises: Kernel) -> None:
    promises.run("""
        TEXT = "Promise(node:n0.o0.[])"
        @flytekit.dynamic
        def echoed(s: str) -> str:
            return say(s=s)
        run = flytenb.run(echoed, s=TEXT)
    """).ok()
    assert promises.value("run.result") == "Promise(node:n0.o0.[])"


def test_a_syntax_error_inside_a_task_has_a_card(promises: Kernel) -> None:
    error = promises.run("""
        @task
        def evaluates(n: int) -> int:
            return eval("n + * 2")
        %flyte run evaluates(n=1)
    """).fails()
    lines = error.traceback.splitlines()
    assert lines[1] == "  node n0 (evaluates) of evaluates failed"
    assert '    return eval("n + * 2")' in lines
    assert len(lines) <= 15
    assert promises.run("1 +").fails().ename == "SyntaxError"


def test_the_error_of_a_run_in_the_background_has_its_card_where_it_is_raised(promises: Kernel) -> None:
    promises.run("""
        @task
        def late(n: int) -> int:
            return 1 // n
        background = flytenb.start(late, n=0).wait()
    """).ok()
    for _ in range(2):
        lines = promises.run("background.result").fails().traceback.splitlines()
        assert lines[:3] == [
            "ZeroDivisionError: integer division or modulo by zero",
            "  node n0 (late) of late failed",
            "  inputs: n=0",
        ]
        assert lines[-1] == "  the whole traceback: %flyte error, or run.error.full()"


def test_an_error_of_the_users_that_came_from_a_run_shows_no_frames_of_ours(promises: Kernel) -> None:
    error = promises.run("""
        try:
            flytenb.run(there_and_back, n=-1)
        except LookupError as e:
            raise RuntimeError("mine") from e
    """).fails()
    assert "flytenb/" not in error.traceback
    assert error.traceback.splitlines()[0] == "RuntimeError: mine"
    assert "caused by LookupError: ('negative', -1) (Cell In[" in error.traceback


def test_our_own_words_quote_nothing_that_acts_on_a_page_or_a_terminal(promises: Kernel) -> None:
    promises.run(r"""
        HOSTILE = "</pre><script>alert(1)</script>\x1b[31m\u202e"
        from datetime import timedelta
        from flytekit import LaunchPlan, approve

        @workflow
        def asks(n: int) -> int:
            return count(n=approve(count(n=n), HOSTILE, timeout=timedelta(hours=1)))

        plan = LaunchPlan.get_or_create(asks, HOSTILE)
        going = flytenb.start(asks, n=1)
    """).ok()
    for cell in (
        "%flyte run plan(n=HOSTILE)",
        "%flyte run plan(n=1, m=HOSTILE)",
        "flytenb.graph(HOSTILE)",
        "flytenb.draw(asks, upstream=HOSTILE + 'x')",
        "flytenb.options(cache=HOSTILE)",
        "raise flytenb.FlytenbError(HOSTILE, hint=HOSTILE)",
    ):
        outcome = promises.run(cell)
        outcome.fails()
        [error] = [o for o in outcome.outputs if o["output_type"] == "error"]
        assert "\x1b[31m" not in "".join(error["traceback"])
        assert "\u202e" not in "".join(error["traceback"])
    promises.run("going.cancel()").ok()


def test_a_gate_whose_timeout_is_a_number_is_refused_with_the_way_out(promises: Kernel) -> None:
    promises.run("""
        from flytekit import approve

        @workflow
        def hurried(n: int) -> int:
            return count(n=approve(count(n=n), "now", timeout=60))
    """).ok()
    error = promises.run("%flyte run hurried(n=1)").fails()
    assert "the timeout of the gate 'now' must be a timedelta, got 60" in error.traceback
    assert "hint: timeout=timedelta(minutes=10)" in error.traceback


@pytest.mark.parametrize("line", ["show no_such_name", "run there_and_back(n=no_such_name)", "type no_such_name"])
def test_a_mistake_in_a_magic_line_is_said_in_two_lines(promises: Kernel, line: str) -> None:
    error = promises.run(f"%flyte {line}").fails()
    assert error.traceback.splitlines() == [
        "NameError: name 'no_such_name' is not defined",
        "  the whole traceback: %flyte error",
    ]


def test_an_input_that_cannot_be_pickled_is_not_said_to_be_of_another_type(promises: Kernel) -> None:
    promises.run("""
        import threading

        class Guard:
            def __init__(self):
                self.lock = threading.Lock()

        @task
        def guarded(guard: Guard) -> int:
            return 1
    """).ok()
    error = promises.run("%flyte run guarded(guard=Guard())").fails()
    assert "can't be passed to a task" in error.traceback
    assert "would pickle it (cannot pickle '_thread.lock' object): use a dataclass" in error.traceback
