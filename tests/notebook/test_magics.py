"""The magics in a real kernel: a cell becomes entities as written or not at all; a line is a Python call."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import pytest

from tests.kernel import Kernel

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel() as kernel:
        kernel.run("""
            import inspect
            from functools import wraps
            import flytekit, flytenb
            from flytekit import Cache, Resources, dynamic, eager, task, workflow
        """).ok()
        yield kernel


# --- %%task ---------------------------------------------------------------------------------------------------------


def test_the_line_is_the_argument_list_of_the_decorator_evaluated_in_the_notebook(kernel: Kernel) -> None:
    kernel.run("tries, small = 2, Resources(cpu='1')").ok()
    kernel.run("""
        %%task retries=tries, cache=Cache(version="1"), requests=small
        def configured(x: int) -> int:
            return x
    """).ok()
    assert kernel.value("[configured.metadata.retries, configured.metadata.cache_version]") == [2, "1"]
    assert kernel.value("[configured.metadata.cache, configured.resources.requests.cpu]") == [True, "1"]


CELL = """
%%task
import math as arithmetic
from dataclasses import dataclass

SCALE = 3

@dataclass
class Scaled:
    value: float

def _helper(x: float) -> float:
    return arithmetic.floor(x) * SCALE

def scale(x: float) -> Scaled:
    "Scale it."
    return Scaled(_helper(x))

def unscale(s: Scaled) -> float:
    return s.value / SCALE
"""


def test_every_public_function_becomes_a_task_and_all_else_runs_as_it_is(kernel: Kernel) -> None:
    assert kernel.run(CELL).ok().outputs == []
    assert kernel.value("[type(o).__name__ for o in (scale, unscale, _helper, Scaled)]") == [
        "PythonFunctionTask",
        "PythonFunctionTask",
        "function",
        "type",
    ]
    assert kernel.value("[_helper(2.5), arithmetic.pi > 3, unscale(s=scale(x=2.5)), SCALE]") == [6, True, 2.0, 3]


def test_the_source_stays_the_cells(kernel: Kernel) -> None:
    kernel.run(CELL).ok()
    function = 'def scale(x: float) -> Scaled:\n    "Scale it."\n    return Scaled(_helper(x))\n'
    assert kernel.value("inspect.getsource(scale.task_function)") == function
    assert kernel.value("inspect.getsource(_helper)").startswith("def _helper")


def test_a_traceback_has_the_line_numbers_of_the_cell(kernel: Kernel) -> None:
    kernel.run("""
        %%task retries=0


        def divide(x: int) -> int:
            doubled = 2 * x
            return 1 // doubled
    """).ok()
    for call in ("divide.task_function(x=0)", "%flyte run divide(x=0)"):
        error = kernel.run(call).fails()
        assert error.ename == "ZeroDivisionError"
        assert "return 1 // doubled" in error.traceback
    kernel.run("""
        import traceback
        try:
            divide.task_function(x=0)
        except ZeroDivisionError as e:
            line = traceback.extract_tb(e.__traceback__)[-1].lineno
    """).ok()
    assert kernel.value("line") == 6


def test_a_traceback_names_the_cell_by_its_number(kernel: Kernel) -> None:
    cell = kernel.run("%%task\ndef fragile(x: int) -> int:\n    return 1 // x").ok()
    place = f"Cell In[{cell.reply['execution_count']}], line 3"
    assert place in kernel.run("fragile.task_function(x=0)").fails().traceback
    assert place in kernel.run("%flyte run fragile(x=0)").fails().traceback


def test_a_cell_means_what_it_means_without_the_magic(kernel: Kernel) -> None:
    cell = """
        from dataclasses import dataclass, fields

        @dataclass
        class Point:
            x: float

        measured = !echo measured
        %time pass

        def _origin() -> Point:
            return Point(0.0)

        async def moved(p: Point) -> Point:
            return Point(p.x + _origin().x + 1)
    """
    facts = "[fields(Point)[0].type is float, _origin.__annotations__['return'] is Point, list(measured)]"
    kernel.run(cell).ok()
    plain = kernel.value(facts)
    assert plain == [True, True, ["measured"]]
    kernel.run(f"%%task\n{textwrap.dedent(cell)}").ok()
    assert kernel.value(facts) == plain
    assert kernel.value("[moved.task_function.__annotations__['p'] is Point, type(moved).__name__]") == [
        True,
        "AsyncPythonFunctionTask",
    ]
    assert kernel.value("flytenb.run(moved, p=Point(1.0)).result.x") == 2.0


def test_stacked_decorators_are_kept_below_the_task(kernel: Kernel) -> None:
    kernel.run("""
        def louder(fn):
            @wraps(fn)
            def wrapper(*args, **kwargs):
                print("before", fn.__name__)
                return fn(*args, **kwargs) + 1
            return wrapper

        def twice(fn):
            @wraps(fn)
            def wrapper(*args, **kwargs):
                return 2 * fn(*args, **kwargs)
            return wrapper
    """).ok()
    kernel.run("""
        %%task
        @louder
        @twice
        def stacked(x: int) -> int:
            return x
    """).ok()
    outcome = kernel.run("stacked(x=5)").ok()
    assert (outcome.result, outcome.text) == ("11", "before stacked\n")
    assert kernel.value("flytenb.run(stacked, x=5).result") == 11
    assert kernel.value("inspect.getsource(stacked.task_function)").startswith("@louder\n@twice\ndef stacked")


def test_a_function_that_is_decorated_as_a_task_already_stays_that_task(kernel: Kernel) -> None:
    kernel.run("""
        %%task retries=1
        @task(retries=5)
        def own(x: int) -> int:
            return x

        def other(x: int) -> int:
            return x
    """).ok()
    assert kernel.value("[own.metadata.retries, other.metadata.retries]") == [5, 1]


def test_an_expression_as_last_line_shows_itself_as_in_any_cell(kernel: Kernel) -> None:
    outcome = kernel.run("""
        %%task
        def plus(x: int) -> int:
            return x + 1

        print("made"); plus(x=41)
    """).ok()
    assert outcome.text.startswith("made\n")
    assert "42" in outcome.shown


# --- cells that fail ------------------------------------------------------------------------------------------------

BAD_CELLS = {
    "a line that raises": ("%%task\ndef kept(x: int) -> int:\n    return -x\n\n1 / 0", "ZeroDivisionError", "1 / 0"),
    "a missing annotation": ("%%task\ndef kept(x) -> int:\n    return -x", None, "x"),
    "a mistake in the syntax": ("%%task\ndef kept(x: int) -> int:\n    return (x", "SyntaxError", "return (x"),
    "an argument that isn't there": ("%%task retrys=2\ndef kept(x: int) -> int:\n    return -x", None, "retrys"),
    "a line that is no argument list": ("%%task retries=\ndef kept(x: int) -> int:\n    return -x", None, "retries="),
    "an unsupported type": ("%%task\ndef kept(x: int) -> 'Undefined':\n    return -x", "NameError", "Undefined"),
    "no function": ("%%task\nkept = -1", "DefinitionError", "%%task"),
    "a workflow that doesn't compile": (
        "%%workflow\ndef kept(x: int) -> str:\n    return helper_of_kept(x='three')",
        None,
        "three",
    ),
}


@pytest.mark.parametrize("name", BAD_CELLS)
def test_a_cell_that_fails_says_why_and_leaves_what_was_there(kernel: Kernel, name: str) -> None:
    cell, ename, word = BAD_CELLS[name]
    kernel.run("""
        %%task
        def kept(x: int) -> int:
            return x

        def helper_of_kept(x: int) -> str:
            return str(x)
    """).ok()
    kernel.run("kept_before, new_name = kept, 'untouched'").ok()
    entities = "len(flytekit.core.context_manager.FlyteEntities.entities)"
    count = kernel.value(entities)
    magic, body = cell.split("\n", 1)
    error = kernel.run(f"{magic}\nnew_name, newer_name = 1, 2\n{body}").fails()
    assert error.ename == (ename or error.ename)
    assert word in error.traceback
    assert kernel.value("[kept is kept_before, new_name, 'newer_name' in globals()]") == [True, "untouched", False]
    assert kernel.value(entities) == count
    assert kernel.value("kept(x=3)") == 3


def test_nothing_of_a_failed_cell_is_defined(kernel: Kernel) -> None:
    kernel.run("""
        %%task
        import colorsys as borrowed

        class Borrowed:
            pass

        def lent(x: int) -> int:
            return x

        def unannotated(x) -> int:
            return x
    """).fails()
    names = ("borrowed", "Borrowed", "lent", "unannotated")
    assert kernel.value(f"[n for n in {names!r} if n in globals()]") == []
    assert "lent" not in kernel.run("%flyte").ok().shown


def test_the_error_of_a_missing_annotation_names_the_function_and_the_parameter(kernel: Kernel) -> None:
    error = kernel.run("%%task\ndef blank(x, y: int) -> int:\n    return y").fails()
    assert "blank" in error.traceback
    assert "'x'" in error.traceback


# --- the other cell magics ------------------------------------------------------------------------------------------


def test_workflow_dynamic_and_eager_cells_define_their_kinds(kernel: Kernel) -> None:
    kernel.run("%%task\ndef one_more(x: int) -> int:\n    return x + 1").ok()
    kernel.run("%%workflow\ndef chained(x: int) -> int:\n    return one_more(x=one_more(x=x))").ok()
    kernel.run("""
        %%dynamic
        def repeated(n: int) -> int:
            x = 0
            for _ in range(n):
                x = one_more(x=x)
            return x
    """).ok()
    kernel.run("%%eager\nasync def awaited(x: int) -> int:\n    return one_more(x=x)").ok()
    kernel.run("kinds = {row[0]: row[1] for row in get_ipython().run_line_magic('flyte', '').rows}").ok()
    assert kernel.value("[kinds[n] for n in ('one_more', 'chained', 'repeated', 'awaited')]") == [
        "task",
        "workflow",
        "dynamic",
        "eager",
    ]
    assert kernel.value("[flytenb.run(chained, x=1).result, flytenb.run(repeated, n=4).result]") == [3, 4]
    assert kernel.value("flytenb.run(awaited, x=1).result") == 2


def test_a_workflow_cell_takes_the_decorators_arguments(kernel: Kernel) -> None:
    kernel.run("%%task\ndef one_more(x: int) -> int:\n    return x + 1").ok()
    kernel.run("""
        %%workflow failure_policy=flytekit.WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE
        def patient(x: int) -> int:
            return one_more(x=x)
    """).ok()
    assert kernel.value("patient.workflow_metadata.on_failure.name") == "FAIL_AFTER_EXECUTABLE_NODES_COMPLETE"


# --- %flyte ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_listing_has_each_entity_with_its_kind_cell_freshness_and_last_run() -> None:
    with Kernel() as kernel:
        assert "nothing is defined yet" in kernel.run("%flyte").ok().shown
        kernel.run("%%task\ndef plain(x: int) -> int:\n    return x").ok()
        kernel.run("""
            from flytekit import task, workflow

            @task
            def decorated(x: int) -> int:
                return plain(x=x)

            @workflow
            def both(x: int) -> int:
                return decorated(x=plain(x=x))
        """).ok()
        kernel.run("%flyte run both(x=1)").ok()
        kernel.run("rows = get_ipython().run_line_magic('flyte', '').rows").ok()
        rows = {row[0]: row[1:] for row in kernel.value("rows")}
        assert {name: row[:3] for name, row in rows.items()} == {
            "plain": ("task", "[3]", "fresh"),
            "decorated": ("task", "[4]", "fresh"),
            "both": ("workflow", "[4]", "fresh"),
        }
        assert rows["both"][3].startswith("✓ succeeded")
        assert rows["plain"][3].startswith("✓ succeeded") and rows["plain"][3].endswith(" in both")
        assert rows["plain"][4] == "(x: int) -> int"
        kernel.run("%%task\ndef plain(x: int) -> int:\n    return 2 * x").ok()
        outcome = kernel.run("%flyte").ok()
        for word in ("plain", "decorated", "both", "stale"):
            assert word in outcome.shown
            assert word in outcome.html
        kernel.run("rows = get_ipython().run_line_magic('flyte', '').rows").ok()
        rows = {row[0]: row[1:] for row in kernel.value("rows")}
        assert [rows["plain"][1:3], rows["both"][2]] == [("[7]", "fresh"), "stale: `plain` was redefined in cell 7"]
        kernel.run("del decorated").ok()
        kernel.run("rows = get_ipython().run_line_magic('flyte', '').rows").ok()
        rows = {row[0]: row[1:] for row in kernel.value("rows")}
        assert "decorated" not in rows
        assert "`decorated` was deleted" in rows["both"][2]


def test_the_call_of_a_run_is_evaluated_in_the_notebook(kernel: Kernel) -> None:
    kernel.run("%%task\ndef merge_states(words: list[str], sep: str = '-') -> str:\n    return sep.join(words)").ok()
    kernel.run("name = 'b'").ok()
    for call, expected in [
        ("merge_states(words=['a', name])", "a-b"),
        ("merge_states(words=[w * 2 for w in ('x', name)], sep=' ')", "xx bb"),
        ("merge_states(['a', 'c'])", "a-c"),
        ("merge_states(words=['{name}', '$name', '--workers'])", "{name}-$name---workers"),
        ("merge_states(words=['a']) --workers 1", "a"),
        ("--workers 1 merge_states(words=['a'])", "a"),
    ]:
        kernel.run(f"run = %flyte run {call}").ok()
        assert kernel.value("run.result") == expected


def test_a_run_inside_a_function_sees_its_local_names(kernel: Kernel) -> None:
    kernel.run("%%task\ndef echoed(x: int) -> int:\n    return x").ok()
    kernel.run("""
        def inside(local):
            run = %flyte run echoed(x=local)
            return run.result

        answer = inside(17)
    """).ok()
    assert kernel.value("answer") == 17


def test_a_run_is_shown_once_whether_assigned_or_last(kernel: Kernel) -> None:
    kernel.run("%%task\ndef shown_once(x: int) -> int:\n    return x").ok()
    for cell in (
        "run = %flyte run shown_once(x=1)",
        "%flyte run shown_once(x=1)",
        "run = %flyte run shown_once(x=1)\nrun",
        "run = flytenb.run(shown_once, x=1)\nrun",
        "flytenb.run(shown_once, x=1)",
        "run",
    ):
        outcome = kernel.run(cell).ok()
        with_drawing = [b for b in outcome.bundles if "shown_once" in b.get("text/plain", "")]
        assert len(with_drawing) == 1, cell
        assert "succeeded" in with_drawing[0]["text/plain"].lower(), cell
        assert any("shown_once" in picture for picture in outcome.pictures), cell


def test_the_lists_leave_nothing_out(kernel: Kernel) -> None:
    kernel.run("%%task\n" + "\n".join(f"def one_of_many_{i}(x: int) -> int:\n    return x" for i in range(15))).ok()
    kernel.run("for i in range(25): flytenb.run(one_of_many_14, x=i)").ok()
    listed = kernel.run("%flyte").ok()
    for shown in (listed.shown, listed.html):
        assert all(f"one_of_many_{i}" in shown for i in range(15))
    reported = (kernel.run("%flyte runs").ok().result or "").splitlines()
    assert len(reported) == 2 + 20
    assert reported[-1].startswith("19 ")


def test_a_run_is_one_line_of_the_list_however_long_its_error_is(kernel: Kernel) -> None:
    kernel.run("""
        %%task
        def a_task_of_some_name(x: int) -> int:
            raise ValueError("</script>\\x1b[31m " + "long " * 100)
            return x
    """).ok()
    kernel.run("flytenb.start(a_task_of_some_name, x=1).wait()").ok()
    reported = (kernel.run("%flyte runs").ok().result or "").splitlines()
    assert "a_task_of_some_name" in reported[-1]
    assert "ValueError: </script> long" in reported[-1]  # without codes of colors
    assert max(map(len, reported)) <= 100


def test_a_drawing_can_be_cut_and_saved(kernel: Kernel) -> None:
    kernel.run("%%task\ndef first(x: int) -> int:\n    return x\n\ndef last(x: int) -> int:\n    return x").ok()
    kernel.run("%%workflow\ndef pair(x: int) -> int:\n    return last(x=first(x=x))").ok()
    outcome = kernel.run("%flyte draw pair --downstream last").ok()
    assert "last" in outcome.shown
    assert "first" not in outcome.shown
    for ending, start in [("svg", b"<"), ("dot", b"digraph")]:
        told = kernel.run(f"%flyte draw pair --save pair.{ending}").ok().text
        assert told == f"wrote {kernel.cwd / f'pair.{ending}'}\n"
        assert (kernel.cwd / f"pair.{ending}").read_bytes().startswith(start)


def test_a_drawing_has_the_style_of_a_function_of_the_notebook(kernel: Kernel) -> None:
    kernel.run("%%task\ndef cut(x: int) -> int:\n    return x").ok()
    kernel.run(
        "import flytenb\ndef by_name(node):\n    return flytenb.NodeStyle(badge='team ' + node.name, colour='#d55e00')"
    ).ok()
    assert "team cut" in kernel.run("%flyte draw cut --style by_name").ok().shown
    assert "team cut" not in kernel.run("%flyte draw cut").ok().shown
    assert "nobody" in str(kernel.run("%flyte draw cut --style nobody").fails())
    assert "style must be a function" in str(kernel.run("%flyte draw cut --style 3").fails())


def test_unloading_removes_the_style_of_all_drawings(kernel: Kernel) -> None:
    kernel.run("%%task\ndef cut(x: int) -> int:\n    return x").ok()
    kernel.run("import flytenb\nflytenb.set_style(lambda node: flytenb.NodeStyle(badge='styled'))").ok()
    assert "styled" in kernel.run("%flyte draw cut").ok().shown
    kernel.run("%unload_ext flytenb\n%load_ext flytenb").ok()
    assert "styled" not in kernel.run("%flyte draw cut").ok().shown


def test_help_of_the_magic_tells_its_verbs(kernel: Kernel) -> None:
    outcome = kernel.run("%flyte?").ok()
    reported = str(outcome.reply["payload"])
    for verb in ("draw", "run", "runs", "show"):
        assert f"%flyte {verb}" in reported


# --- redefining -----------------------------------------------------------------------------------------------------


def test_a_redefined_task_is_what_its_workflow_draws_and_runs(kernel: Kernel) -> None:
    kernel.run("%%task\ndef stage(x: int) -> int:\n    return x + 1").ok()
    kernel.run("%%workflow\ndef staged(x: int) -> int:\n    return stage(x=x)").ok()
    kernel.run("before = %flyte run staged(x=1)").ok()
    kernel.run(
        textwrap.dedent("""
            %%dynamic
            def stage(x: int, by: int = 50) -> int:
                return x + by
        """)
    ).ok()
    drawn = kernel.run("%flyte draw staged").ok()
    assert any("dynamic" in picture for picture in drawn.pictures)
    assert kernel.value("str(flytenb.graph(staged).nodes['n0'].kind)") == "dynamic"
    assert kernel.value("[p.name for p in flytenb.graph(staged).nodes['n0'].interface.inputs]") == ["x", "by"]
    kernel.run("after = %flyte run staged(x=1)").ok()
    assert kernel.value("[before.result, after.result]") == [2, 51]


def test_a_redefined_task_reaches_through_subworkflows_and_launch_plans(kernel: Kernel) -> None:
    kernel.run("%%task\ndef deep(x: int) -> int:\n    return x + 1").ok()
    kernel.run("%%workflow\ndef inner(x: int) -> int:\n    return deep(x=x)").ok()
    kernel.run("""
        plan = flytekit.LaunchPlan.get_or_create(inner, "inner_plan")

        @workflow
        def outer(x: int) -> tuple[int, int]:
            return inner(x=x), plan(x=x)
    """).ok()
    assert kernel.value("tuple(flytenb.run(outer, x=1).result)") == (2, 2)
    kernel.run("%%task\ndef deep(x: int) -> int:\n    return 10 * x").ok()
    assert kernel.value("tuple(flytenb.run(outer, x=1).result)") == (10, 10)
