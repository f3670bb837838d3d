"""What the session knows of a notebook, without a notebook: names, replacements, and what has gone stale."""

from __future__ import annotations

import importlib
import linecache
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from flytenb import api
from flytenb.bridge.patches.applied import Patches
from flytenb.bridge.workflow.graph import read_graph
from flytenb.bridge.workflow.reader import read_built, read_workflow
from flytenb.display.entity_card import entity_bundle
from flytenb.errors import DefinitionError, NotAnEntityError, UnknownNameError
from flytenb.model import Kind
from flytenb.reach.reach_walk import ReachWalker
from flytenb.reach.staleness import recompile_stale
from flytenb.session import Session
from tests.ship.notebooks import nothing_defined

BASE = """
from flytekit import LaunchPlan, dynamic, task, workflow

@task
def step(x: int) -> int:
    return x + 1

@workflow
def inner(x: int) -> int:
    return step(x=x)

plan = LaunchPlan.get_or_create(inner, "plan_of_inner")

@workflow
def outer(x: int) -> int:
    return plan(x=inner(x=x))

@task
def aside(x: int) -> int:
    return x
"""


class Notebook:
    """Cells run in one module, each known to the session, its source where `inspect` looks for it."""

    def __init__(self, module: ModuleType) -> None:
        self.names = vars(module)
        self.session = Session()
        self.count = 0

    def run(self, source: str) -> None:
        self.count += 1
        source, filename = textwrap.dedent(source), f"<cell {self.count}>"
        linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
        try:
            exec(compile(source, filename, "exec"), self.names)
        finally:
            self.session.update(self.names, self.count, source)

    def stale(self) -> list[str]:
        return [name for name in self.session.definitions if self.session.is_stale(name)]

    def compiled_from(self, workflow: str) -> list[str]:
        """The names of what a workflow's nodes use, as of its last compile."""
        known = {id(d.entity): d.name for d in self.session.definitions.values()}
        return [known.get(id(n.flyte_entity), "a thing of the past") for n in self.names[workflow].nodes]


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    module = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", module)
    # As in a kernel: entities of a notebook have bare names.
    monkeypatch.setattr("flytekit.core.tracker.is_ipython_or_pickle_exists", lambda: True)
    patches = Patches()
    patches.apply()
    notebook = Notebook(module)
    with nothing_defined():
        yield notebook
    patches.undo()
    for number in range(notebook.count):
        linecache.cache.pop(f"<cell {number + 1}>", None)


def refreshed(notebook: Notebook, name: str) -> None:
    """Read it as every verb does, which compiles anew what is stale."""
    api.graph(notebook.names[name])


def test_each_entity_is_known_by_its_name_kind_cell_and_source(notebook: Notebook) -> None:
    notebook.run("limit = 3")
    notebook.run(BASE)
    definitions = notebook.session.definitions
    assert {name: str(d.kind) for name, d in definitions.items()} == {
        "step": "task",
        "inner": "subworkflow",
        "plan": "launch_plan",
        "outer": "subworkflow",
        "aside": "task",
    }
    assert {d.cell for d in definitions.values()} == {2}
    assert definitions["step"].entity is notebook.names["step"]
    assert definitions["step"].source == BASE


def test_running_a_cell_again_replaces_by_name_and_leaves_the_rest(notebook: Notebook) -> None:
    notebook.run(BASE)
    before = dict(notebook.session.definitions)
    notebook.run("@task\ndef step(x: int) -> int:\n    return x + 2\n")
    after = notebook.session.definitions
    assert after["step"].entity is not before["step"].entity
    assert after["step"].cell == 2
    assert after["aside"] is before["aside"]


def test_a_name_that_is_gone_is_forgotten_and_so_is_one_that_means_something_else(notebook: Notebook) -> None:
    notebook.run(BASE)
    notebook.run("del aside\nstep = 3")
    assert set(notebook.session.definitions) == {"inner", "plan", "outer"}


def test_private_names_and_the_history_are_no_definitions(notebook: Notebook) -> None:
    notebook.run(BASE)
    notebook.run("_ = step\n_1 = step\n__ = outer\n_hidden = inner")
    assert set(notebook.session.definitions) == {"step", "inner", "plan", "outer", "aside"}


def test_a_cell_that_fails_half_way_has_defined_what_came_before(notebook: Notebook) -> None:
    with pytest.raises(ZeroDivisionError):
        notebook.run(BASE + "\n1 / 0")
    assert "aside" in notebook.session.definitions


def test_objects_that_answer_to_every_question_do_no_harm(notebook: Notebook) -> None:
    notebook.run("""
        class Evasive:
            def __getattr__(self, name):
                raise RuntimeError(name)
            def __eq__(self, other):
                raise RuntimeError("eq")
            def __bool__(self):
                raise RuntimeError("bool")

        class Agreeable:
            def __getattr__(self, name):
                return self
            def __call__(self, *args, **kwargs):
                return self

        evasive, agreeable, kind = Evasive(), Agreeable(), Evasive
    """)
    assert notebook.session.definitions == {}


def test_an_unknown_name_names_the_closest(notebook: Notebook) -> None:
    notebook.run(BASE)
    assert notebook.session.find("step") is notebook.names["step"]
    with pytest.raises(UnknownNameError) as error:
        notebook.session.find("stepp")
    assert "'stepp'" in error.value.message
    assert "'step'" in error.value.hint
    assert isinstance(error.value, LookupError)


def test_an_unknown_name_in_an_empty_session_says_how_to_define_one() -> None:
    with pytest.raises(UnknownNameError) as error:
        Session().find("wf")
    assert "@workflow" in error.value.hint


@pytest.mark.parametrize("thing", [3, "outer", None, len, Session])
def test_only_entities_can_be_read(thing: Any) -> None:
    with pytest.raises(NotAnEntityError):
        api.graph(thing)


# --- staleness ------------------------------------------------------------------------------------------------------


def test_a_fresh_session_has_nothing_stale_before_and_after_compiling(notebook: Notebook) -> None:
    notebook.run(BASE)
    assert notebook.stale() == []
    refreshed(notebook, "outer")
    assert notebook.stale() == []


def test_what_used_a_redefined_task_is_stale_at_every_depth_and_nothing_else_is(notebook: Notebook) -> None:
    notebook.run(BASE)
    refreshed(notebook, "outer")
    notebook.run("@task\ndef step(x: int) -> int:\n    return x + 2\n")
    assert notebook.stale() == ["inner", "plan", "outer"]
    refreshed(notebook, "outer")
    assert notebook.stale() == []
    assert notebook.compiled_from("inner") == ["step"]
    assert notebook.names["outer"](x=1) == 5


HOLDERS = """
from flytekit import Workflow, dynamic, eager, map_task
steps = [step]
mapped = map_task(step)

@workflow
def listed(x: int) -> int:
    return steps[0](x=x)

@workflow
def maps(x: int) -> list[int]:
    return mapped(x=[x])

@workflow
def launches(x: int) -> int:
    return plan(x=x)

@workflow(on_failure=step)
def handled(x: int) -> int:
    return aside(x=x)

@dynamic
def later(x: int) -> int:
    return steps[0](x=x)

@eager
async def awaits(x: int) -> int:
    return steps[0](x=x)

@workflow
def above(x: int) -> list[int]:
    return maps(x=x)

by_hand = Workflow(name="by_hand")
by_hand.add_workflow_output("o", by_hand.add_entity(step, x=by_hand.add_workflow_input("x", int)).outputs["o0"])
"""
EDITED = {
    "step": "@task\ndef step(x: int) -> int:\n    return x + 2\n",
    "inner": "@workflow\ndef inner(x: int) -> int:\n    return x\n",
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("holder", "inputs", "edited"),
    [
        ("listed", {"x": 1}, "step"),
        ("mapped", {"x": [1]}, "step"),
        ("maps", {"x": 1}, "step"),
        ("above", {"x": 1}, "step"),
        ("handled", {"x": 1}, "step"),
        ("by_hand", {"x": 1}, "step"),
        ("plan", {"x": 1}, "inner"),
        ("launches", {"x": 1}, "inner"),
        ("later", {"x": 1}, "step"),
        ("awaits", {"x": 1}, "step"),
    ],
)
def test_an_entity_that_holds_an_earlier_definition_is_stale_and_is_not_run(
    notebook: Notebook, holder: str, inputs: dict[str, Any], edited: str
) -> None:
    notebook.run(BASE)
    notebook.run(HOLDERS)
    notebook.run("unrelated = 1")
    api.run(notebook.names[holder], **inputs)
    assert holder not in notebook.stale()
    notebook.run(EDITED[edited])
    assert holder in notebook.stale() or holder in ("later", "awaits")  # what these call is known when they run
    with pytest.raises(DefinitionError, match=f"uses an earlier definition of '{edited}'"):
        api.run(notebook.names[holder], **inputs)
    notebook.run('plan = LaunchPlan.get_or_create(inner, "plan_of_inner")\n' + HOLDERS)
    assert holder not in notebook.stale()
    api.run(notebook.names[holder], **inputs)


def test_the_same_definition_once_more_is_no_other(notebook: Notebook) -> None:
    notebook.run(BASE)
    notebook.run(HOLDERS)
    notebook.run("@task\ndef step(x: int) -> int:\n    return x + 1\n")
    assert api.run(notebook.names["listed"], x=1).outputs["o0"] == 2
    assert "listed" not in notebook.stale()


def test_definitions_in_a_loop_are_all_current(notebook: Notebook) -> None:
    notebook.run(BASE)
    notebook.run(
        "steps = []\nfor k in (1, 2):\n    @task\n    def add(x: int, k: int = k) -> int:\n        return x + k\n"
        "    steps.append(add)\n"
        "@workflow\ndef both(x: int) -> int:\n    return steps[1](x=steps[0](x=x))\n"
    )
    assert api.run(notebook.names["both"], x=1).outputs["o0"] == 4
    assert notebook.stale() == []


def test_what_nobody_used_makes_nothing_stale(notebook: Notebook) -> None:
    notebook.run(BASE)
    refreshed(notebook, "outer")
    notebook.run("@task\ndef aside(x: int) -> int:\n    return -x\n")
    notebook.run("unrelated = 4")
    assert notebook.stale() == []


def test_a_fresh_workflow_is_not_compiled_again(notebook: Notebook) -> None:
    notebook.run("import itertools\ncompiles = itertools.count()\ndef note():\n    next(compiles)\n")
    notebook.run(BASE.replace("def outer(x: int) -> int:", "def outer(x: int) -> int:\n    note()"))
    refreshed(notebook, "outer")
    notebook.run("unrelated = 1")
    refreshed(notebook, "outer")
    refreshed(notebook, "plan")
    assert repr(notebook.names["compiles"]) == "count(1)"
    notebook.run("@task\ndef step(x: int) -> int:\n    return x + 2\n")
    refreshed(notebook, "inner")
    assert repr(notebook.names["compiles"]) == "count(1)"
    notebook.run("def note():\n    next(compiles)\n")
    refreshed(notebook, "outer")
    assert repr(notebook.names["compiles"]) == "count(1)"
    notebook.run("def note():\n    return next(compiles)\n")
    refreshed(notebook, "outer")
    assert repr(notebook.names["compiles"]) == "count(2)"


def test_nothing_is_walked_again_while_nothing_has_changed(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook.run(BASE)
    refreshed(notebook, "outer")
    walked: list[Any] = []
    monkeypatch.setattr(ReachWalker, "reach", lambda self, code, *rest, **options: walked.append(code.co_name) or b"")
    notebook.run("unrelated = 1")
    refreshed(notebook, "outer")
    assert notebook.stale() == []
    assert walked == []
    notebook.run("@task\ndef step(x: int) -> int:\n    return x + 2\n")
    assert walked == ["inner"]


SCALED = """
from flytekit import task, workflow

@task
def scaled(x: int, by: int) -> int:
    return x * by

@workflow
def scales(x: int) -> int:
    return scaled(x=x, by=chosen())
"""


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("before", "after", "result"),
    [
        ("FACTOR = 2\ndef chosen():\n    return FACTOR\n", "FACTOR = 5", 5),
        ("def chosen():\n    return 2\n", "def chosen():\n    return 5\n", 5),
        ("def deeper():\n    return 2\ndef chosen():\n    return deeper()\n", "def deeper():\n    return 5\n", 5),
        ("FACTORS = [2]\ndef chosen():\n    return FACTORS[0]\n", "FACTORS[0] = 5", 5),
        ("FACTORS = {'k': 2}\ndef chosen():\n    return FACTORS['k']\n", "FACTORS['k'] = 5", 5),
        ("class Options:\n    by = 2\ndef chosen():\n    return Options.by\n", "class Options:\n    by = 5\n", 5),
        ("FACTOR = 2\nchosen = lambda: FACTOR\n", "FACTOR = 5", 5),
        ("def chosen():\n    return LATE\nLATE = True + 1\n", "LATE = 5.0.__int__()", 5),
    ],
)
def test_a_changed_helper_constant_or_class_makes_a_workflow_stale(
    notebook: Notebook, before: str, after: str, result: int
) -> None:
    notebook.run(before)
    notebook.run(SCALED)
    refreshed(notebook, "scales")
    assert notebook.stale() == []
    notebook.run(after)
    assert notebook.stale() == ["scales"]
    refreshed(notebook, "scales")
    by = next(b for b in notebook.names["scales"].nodes[0].bindings if b.var == "by")
    assert by.binding.scalar.primitive.integer == result


def test_a_workflow_that_failed_to_compile_is_tried_again_and_says_the_same(notebook: Notebook) -> None:
    notebook.run(BASE)
    notebook.run("@workflow\ndef late(x: int) -> int:\n    return missing(x=x)\n")
    for _ in range(2):
        with pytest.raises(NameError, match="missing"):
            refreshed(notebook, "late")
    notebook.run("missing = step")
    refreshed(notebook, "late")
    assert notebook.names["late"](x=1) == 2


def test_a_workflow_whose_task_no_longer_fits_says_so(notebook: Notebook) -> None:
    notebook.run(BASE)
    refreshed(notebook, "inner")
    notebook.run("@task\ndef step(y: int) -> int:\n    return y\n")
    for _ in range(2):
        with pytest.raises(Exception, match="x"):
            refreshed(notebook, "inner")
    notebook.run("@task\ndef step(x: int) -> int:\n    return 10 * x\n")
    refreshed(notebook, "inner")
    assert notebook.names["inner"](x=2) == 20


# --- what is out of date is not used ----------------------------------------------------------------------------------

REACHED = """
from flytekit import LaunchPlan, conditional, dynamic, eager, task, workflow
from flytekit.core.node_creation import create_node

@task
def step(x: int) -> int:
    return x + OFFSET

@workflow
def sub(x: int) -> int:
    return step(x=x)

@workflow
def above(x: int) -> int:
    return sub(x=x)

plan = LaunchPlan.get_or_create(sub, "plan_of_sub")

@dynamic
def by_dynamic(x: int) -> int:
    return sub(x=x)

@dynamic
def by_plan(x: int) -> int:
    return plan(x=x)

@dynamic
def by_nested(x: int) -> int:
    return by_dynamic(x=x)

@dynamic
def by_case(x: int) -> int:
    return conditional("c").if_(above(x=x) < 0).then(sub(x=x)).else_().then(above(x=x))

def helper(x):
    return above(x=x)

@dynamic
def by_helper(x: int) -> int:
    return helper(x)

table = {"above": above}

@dynamic
def by_table(x: int) -> int:
    return table["above"](x=x)

@eager
async def by_eager(x: int) -> int:
    return above(x=x)

@eager
async def by_eager_of_dynamic(x: int) -> int:
    return by_dynamic(x=x)

@eager
async def by_eager_of_plan(x: int) -> int:
    return plan(x=x)

@task
def by_task(x: int) -> int:
    return above(x=x)

@workflow
def holds_dynamic(x: int) -> int:
    return by_nested(x=x)

@workflow
def holds_eager(x: int) -> int:
    return create_node(by_eager, x=x).o0

@workflow
def holds_task(x: int) -> int:
    return by_task(x=x)
"""
RUNNABLE = ["step", "sub", "above", "plan", "by_dynamic", "by_plan", "by_nested", "by_case", "by_helper", "by_table"]
RUNNABLE += ["by_eager", "by_eager_of_dynamic", "by_eager_of_plan", "by_task"]
RUNNABLE += ["holds_dynamic", "holds_eager", "holds_task"]
STEP = "@task\ndef step(x: int) -> int:\n    return x + 100\n"


def results(notebook: Notebook, names: list[str]) -> dict[str, Any]:
    return {name: api.run(notebook.names[name], x=1).result for name in names}


def test_whatever_reaches_a_workflow_runs_the_task_as_it_is_now(notebook: Notebook) -> None:
    notebook.run("OFFSET = 1")
    notebook.run(REACHED)
    assert results(notebook, RUNNABLE) == dict.fromkeys(RUNNABLE, 2)
    notebook.run(STEP)
    assert results(notebook, RUNNABLE) == dict.fromkeys(RUNNABLE, 101)
    # In the other order, so that nothing was brought up to date by what ran before it.
    notebook.run(STEP.replace("100", "1000"))
    assert results(notebook, RUNNABLE[::-1]) == dict.fromkeys(RUNNABLE, 1001)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", RUNNABLE)
def test_each_way_to_reach_a_workflow_alone_runs_the_task_as_it_is_now(notebook: Notebook, name: str) -> None:
    notebook.run("OFFSET = 1")
    notebook.run(REACHED)
    assert results(notebook, [name]) == {name: 2}
    # No cell: as where a name is set by other means, or the session missed the cell.
    source = STEP.replace("100", "50")
    linecache.cache["<aside>"] = (len(source), None, source.splitlines(keepends=True), "<aside>")
    exec(compile(source, "<aside>", "exec"), notebook.names)
    assert results(notebook, [name]) == {name: 51}
    notebook.run(STEP)
    assert results(notebook, [name]) == {name: 101}


def test_flytekit_itself_sees_what_is_there_now(notebook: Notebook) -> None:
    """Registration and execution by `FlyteRemote` read the nodes, and keep a pickle of each entity."""
    from flytekit.remote import remote

    notebook.run("OFFSET = 1")
    notebook.run(REACHED)
    results(notebook, ["above", "holds_dynamic", "holds_eager"])
    before, _ = remote._get_pickled_target_dict(notebook.names["above"])
    notebook.run(STEP)
    after, pickled = remote._get_pickled_target_dict(notebook.names["above"])
    assert after != before
    (task,) = pickled.entities.values()
    assert task is notebook.names["step"]
    assert notebook.compiled_from("sub") == ["step"]
    assert notebook.names["above"](x=1) == 101


def test_a_workflow_that_only_a_body_names_is_found_after_a_cell(notebook: Notebook) -> None:
    notebook.run("OFFSET = 1")
    notebook.run(REACHED)
    notebook.run("hidden = {'sub': sub}\ndef reach():\n    return hidden['sub']\n")
    notebook.run("@task\ndef names_it(x: int) -> int:\n    return reach()(x=x)\n")
    sub = notebook.names["sub"]
    assert sub.nodes[0].flyte_entity is notebook.names["step"]
    notebook.run("del sub, above, plan, by_dynamic, by_plan, by_case, by_eager_of_plan, helper, table")
    notebook.run(STEP)
    assert sub.nodes[0].flyte_entity is notebook.names["step"]


def test_a_workflow_that_no_longer_compiles_says_so_where_it_is_used_and_nowhere_else(notebook: Notebook) -> None:
    notebook.run("OFFSET = 1")
    notebook.run(REACHED)
    results(notebook, RUNNABLE)
    notebook.run("@task\ndef step(y: int) -> int:\n    return y\n")
    notebook.run("unrelated = 1")
    for name in ("sub", "above", "by_dynamic", "by_eager", "holds_dynamic"):
        for _ in range(2):
            with pytest.raises(Exception, match="x"):
                results(notebook, [name])
    with pytest.raises(Exception, match="x"):
        _ = notebook.names["sub"].nodes
    assert api.run(notebook.names["step"], y=3).result == 3
    notebook.run(STEP)
    assert results(notebook, RUNNABLE) == dict.fromkeys(RUNNABLE, 101)


def test_a_task_that_is_deleted_or_renamed_is_missed_where_it_is_used(notebook: Notebook) -> None:
    notebook.run("OFFSET = 1")
    notebook.run(REACHED)
    results(notebook, ["above", "by_dynamic"])
    notebook.run("renamed = step\ndel step")
    for name in ("above", "by_dynamic", "by_eager"):
        with pytest.raises(NameError, match="step"):
            results(notebook, [name])
    notebook.run("@workflow\ndef sub(x: int) -> int:\n    return renamed(x=x)\n")
    assert results(notebook, ["above", "by_dynamic", "by_eager"]) == {"above": 2, "by_dynamic": 2, "by_eager": 2}


def test_what_comes_from_a_reloaded_module_is_used_as_it_is_now(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    package = tmp_path / "reloaded_tasks"
    package.mkdir()
    (package / "__init__.py").write_text("")
    source = "from flytekit import task\n\n\n@task\ndef step(x: int) -> int:\n    return x + {}\n"
    source += "\n\ndef build(x):\n    return step(x=x)\n"

    def write(offset: int) -> None:
        (package / "steps.py").write_text(source.format(offset))
        importlib.invalidate_caches()
        linecache.clearcache()

    write(1)
    notebook.run("import importlib\nimport reloaded_tasks.steps\nfrom reloaded_tasks import steps\n")
    notebook.run("""
        from flytekit import dynamic, workflow
        from reloaded_tasks.steps import build

        @workflow
        def by_module(x: int) -> int:
            return steps.step(x=x)

        @workflow
        def by_path(x: int) -> int:
            return reloaded_tasks.steps.step(x=x)

        @workflow
        def by_builder(x: int) -> int:
            return build(x)

        @dynamic
        def dynamically(x: int) -> int:
            return by_builder(x=by_path(x=by_module(x=x)))
    """)
    names = ["by_module", "by_path", "by_builder"]
    try:
        assert results(notebook, [*names, "dynamically"]) == {**dict.fromkeys(names, 2), "dynamically": 4}
        write(5000)
        notebook.run("importlib.reload(steps)")
        assert results(notebook, ["dynamically", *names]) == {**dict.fromkeys(names, 5001), "dynamically": 15001}
    finally:
        for name in ("reloaded_tasks", "reloaded_tasks.steps"):
            sys.modules.pop(name, None)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("class Options:\n    by = 2\ndef chosen():\n    return Options.by\n", "Options.by = 5"),
        (
            "class Options: pass\noptions = Options()\noptions.by = 2\ndef chosen():\n    return options.by\n",
            "options.by = 5",
        ),
        (
            "import dataclasses\n@dataclasses.dataclass\nclass O:\n    by: int\no = O(2)\nchosen = lambda: o.by\n",
            "o.by = 5",
        ),
        ("FACTORS = {'k': [2]}\ndef chosen():\n    return FACTORS['k'][0]\n", "FACTORS['k'][0] = 5"),
        ("import types\nheld = types.SimpleNamespace(by=2)\ndef chosen():\n    return held.by\n", "held.by = 5"),
        (
            "import collections as c\nheld = c.defaultdict(int, k=2)\ndef chosen():\n    return held['k']\n",
            "held['k'] = 5",
        ),
        ("import numpy as np\nheld = np.array([2])\ndef chosen():\n    return int(held[0])\n", "held[0] = 5"),
        ("FACTORS = [2] * 30_000\ndef chosen():\n    return FACTORS[7]\n", "FACTORS[7] = 5"),
        ("def chosen(by=2):\n    return by\n", "chosen.__defaults__ = (5,)"),
        ("def chosen():\n    return 2\n", "chosen.__code__ = (lambda: 5).__code__"),
        ("def chosen():\n    return max(2, 1)\n", "def max(a, b):\n    return 5\n"),
        (
            "def made():\n    by = 2\n    def get():\n        return by\n    return get\nchosen = made()\n",
            "chosen.__closure__[0].cell_contents = 5",
        ),
        (
            "import functools\ndef c():\n    return 2\nchosen = functools.wraps(c)(lambda inner=c: inner())\n",
            "chosen.__wrapped__.__code__ = (lambda: 5).__code__",
        ),
    ],
)
def test_what_changed_in_place_is_noticed(notebook: Notebook, before: str, after: str) -> None:
    notebook.run(before)
    notebook.run(SCALED)
    notebook.run("from flytekit import dynamic\n@dynamic\ndef dyn(x: int) -> int:\n    return scales(x=x)\n")
    assert results(notebook, ["scales", "dyn"]) == {"scales": 2, "dyn": 2}
    notebook.run(after)
    assert results(notebook, ["dyn", "scales"]) == {"scales": 5, "dyn": 5}


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("helper", "call"),
    [
        ("class Builder:\n    def make(self, x):\n        return step(x=x)\nb = Builder()\n", "b.make(x)"),
        ("class Builder:\n    @staticmethod\n    def make(x):\n        return step(x=x)\n", "Builder.make(x)"),
        (
            "class Base:\n    @classmethod\n    def make(cls, x):\n        return step(x=x)\nclass B(Base): pass\n",
            "B.make(x)",
        ),
        ("class Builder:\n    @property\n    def task(self):\n        return step\nb = Builder()\n", "b.task(x=x)"),
        ("class Builder:\n    def __call__(self, x):\n        return step(x=x)\nb = Builder()\n", "b(x)"),
        ("class Builder:\n    def make(self, x):\n        return step(x=x)\nmake = Builder().make\n", "make(x)"),
        ("import functools\ndef h(y, x):\n    return step(x=x)\nmake = functools.partial(h, 1)\n", "make(x=x)"),
        ("builders = {'a': [lambda x: step(x=x)]}\n", "builders['a'][0](x)"),
        (
            "def wraps(f):\n    return lambda x: f(x)\n@wraps\ndef make(x):\n    return step(x=x)\n",
            "make(x)",
        ),
        ("", "globals()['step'](x=x)"),
        ("import sys\n", "getattr(sys.modules[__name__], 'step')(x=x)"),
        ("def make(x, use=lambda x: step(x=x)):\n    return use(x)\n", "make(x)"),
        ("def make(x):\n    return [step(x=each) for each in [x]][0]\n", "make(x)"),
    ],
)
def test_a_task_is_found_however_a_body_reaches_it(notebook: Notebook, helper: str, call: str) -> None:
    notebook.run("OFFSET = 1\nfrom flytekit import dynamic, task, workflow\n")
    notebook.run("@task\ndef step(x: int) -> int:\n    return x + OFFSET\n")
    notebook.run(helper)
    notebook.run(f"@workflow\ndef reaches(x: int) -> int:\n    return {call}\n")
    notebook.run("@dynamic\ndef dyn(x: int) -> int:\n    return reaches(x=x)\n")
    assert results(notebook, ["reaches", "dyn"]) == {"reaches": 2, "dyn": 2}
    notebook.run(STEP)
    assert notebook.names["reaches"].nodes[0].flyte_entity is notebook.names["step"]
    assert results(notebook, ["dyn", "reaches"]) == {"reaches": 101, "dyn": 101}


# --- runs -----------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Ran:
    """A run, as far as the session looks at it."""

    entity: Any


def test_runs_are_kept_in_order_and_found_by_their_entity() -> None:
    session = Session()
    one, other = object(), object()
    runs: list[Any] = [Ran(one), Ran(other), Ran(one)]
    for run in runs:
        session.keep(run)
    assert list(session.runs) == runs
    assert list(session.runs_of(one)) == [runs[0], runs[2]]


def test_not_more_than_twenty_runs_are_kept_alive() -> None:
    session = Session()
    runs: list[Any] = [Ran(None) for _ in range(60)]
    for run in runs:
        session.keep(run)
    assert list(session.runs) == runs[40:]


def test_the_session_loads_neither_ipython_nor_flytekit() -> None:
    code = (
        "import sys, flytenb.session as s; s.Session(); print([m for m in ('IPython', 'flytekit') if m in sys.modules])"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout == "[]\n"


# --- tasks put in place of earlier ones ------------------------------------------------------------------------------

COUNTED = """
import itertools
from flytekit import task, workflow
compiles = itertools.count()
def note(): next(compiles)
RATE = 2

@task(retries=1)
def step(x: int, k: int = 1) -> int:
    return x + k

@task
def other(x: int) -> int:
    return x * RATE

@workflow
def flow(x: int) -> int:
    note()
    return other(x=step(x=step(x=x)))
"""
COUNTED_STEP = "@task(retries=1)\ndef step(x: int, k: int = 1) -> int:\n    return x + 10 * k\n"
COMPILED_AGAIN = {
    "another default": COUNTED_STEP.replace("= 1", "= 2"),
    "another input": COUNTED_STEP.replace("k: int = 1", "k: float = 1.0").replace("x + 10 * k", "x + 10"),
    "other settings": COUNTED_STEP.replace("retries=1", "retries=2"),
    "used besides being called": f"{COUNTED_STEP}\ndef note():\n    next(compiles)\n    return step.name",
    "held under another name": f"held = step\n{COUNTED_STEP}\ndef note():\n    next(compiles)\n    held",
}


def compiles(notebook: Notebook) -> int:
    return int(repr(notebook.names["compiles"]).removeprefix("count(").removesuffix(")"))


def test_a_task_with_another_body_takes_the_place_of_the_earlier_one(notebook: Notebook) -> None:
    notebook.run(COUNTED)
    assert api.run(notebook.names["flow"], x=1).result == 6
    nodes, drawn = notebook.names["flow"].nodes, api.draw(notebook.names["flow"]).text
    for body, result in (("x + 10 * k", 42), ("x + 100 * k", 402)):
        notebook.run(COUNTED_STEP.replace("x + 10 * k", body))
        assert notebook.stale() == ["flow"]
        assert api.run(notebook.names["flow"], x=1).result == result
        assert notebook.stale() == []
        assert notebook.names["flow"].nodes is nodes
    assert compiles(notebook) == 1
    assert notebook.compiled_from("flow") == ["step", "step", "other"]
    assert api.draw(notebook.names["flow"]).text == drawn
    notebook.run("RATE = 3")
    assert api.run(notebook.names["flow"], x=1).result == 603
    assert compiles(notebook) == 1
    assert notebook.names["flow"](x=1) == 603


@pytest.mark.parametrize("edit", COMPILED_AGAIN)
def test_what_compiling_could_give_another_result_for_is_compiled_again(edit: str, notebook: Notebook) -> None:
    notebook.run(COUNTED)
    api.run(notebook.names["flow"], x=1)
    notebook.run(COMPILED_AGAIN[edit])
    api.run(notebook.names["flow"], x=1)
    assert compiles(notebook) == 2
    notebook.run("unrelated = 1")
    api.run(notebook.names["flow"], x=1)
    assert compiles(notebook) == 2


def test_a_task_that_another_name_still_holds_keeps_its_nodes(notebook: Notebook) -> None:
    notebook.run(
        COUNTED.replace("step(x=step(x=x))", "step(x=held(x=x))").replace("@workflow", "held = step\n@workflow")
    )
    assert api.run(notebook.names["flow"], x=1).result == 6
    notebook.run(COUNTED_STEP)
    with pytest.raises(DefinitionError, match="uses an earlier definition of 'step'"):
        api.run(notebook.names["flow"], x=1)


def test_a_config_that_a_node_overrides_is_that_of_the_new_task(notebook: Notebook) -> None:
    notebook.run(
        """
        from types import SimpleNamespace
        from flytekit import PythonFunctionTask, workflow

        class Adding(PythonFunctionTask):
            def execute(self, **inputs):
                return super().execute(**inputs) + self.task_config.n

        def add(x: int) -> int:
            return x

        step = Adding(SimpleNamespace(n=1), add)

        @workflow
        def flow(x: int) -> int:
            return step(x=x).with_overrides(task_config=SimpleNamespace(n=100))
        """
    )
    assert api.run(notebook.names["flow"], x=1).result == 101
    notebook.run("def add(x: int) -> int:\n    return x + 1000\n\nstep = Adding(SimpleNamespace(n=1), add)")
    assert api.run(notebook.names["flow"], x=1).result == 1101


def test_tasks_inside_cases_and_subworkflows_are_replaced(notebook: Notebook) -> None:
    notebook.run(BASE)
    notebook.run(
        "from flytekit import conditional\n@workflow\ndef cases(x: int) -> int:\n"
        "    return conditional('c').if_(x > 0).then(step(x=x)).else_().then(inner(x=x))\n"
    )
    assert [api.run(notebook.names["cases"], x=x).result for x in (1, -1)] == [2, 0]
    notebook.run("@task\ndef step(x: int) -> int:\n    return x + 5\n")
    assert [api.run(notebook.names["cases"], x=x).result for x in (1, -1)] == [6, 4]
    assert "cases" not in notebook.stale()


PLACED = """
import functools
from flytekit import conditional, dynamic, task, workflow

def same(f):
    return functools.wraps(f)(lambda **given: f(**given))

@task
def step(x: int) -> int:
    return x + 1

@task
def clean(x: int):
    print("clean")

@workflow
def inner(x: int) -> int:
    return step(x=x)

@workflow(on_failure=clean)
def flow(x: int) -> int:
    y = step(x=inner(x=x)).with_overrides(node_name="named", retries=3)
    return conditional("c").if_(y > 0).then(step(x=y)).else_().then(inner(x=y))
"""
PLACED_STEP = "def step(x: int) -> int:\n    return x + 5\n"
PLACES_TAKEN = {
    "a task": f"@task\n{PLACED_STEP}",
    "a stub": "@task\ndef step(x: int) -> int: ...\n",
    "a dynamic task": f"@dynamic\n{PLACED_STEP}",
    "a decorated task": f"@task\n@same\n{PLACED_STEP}",
}


@pytest.mark.parametrize("edit", PLACES_TAKEN)
def test_a_workflow_with_replaced_tasks_reads_as_if_read_for_the_first_time(edit: str, notebook: Notebook) -> None:
    notebook.run(PLACED)
    flow = notebook.names["flow"]
    before = api.run(flow, x=1)
    for _ in range(2):
        notebook.run(PLACES_TAKEN[edit])
        recompile_stale(flow)
        for read in (flow, notebook.names["inner"]):
            assert read_workflow(read) == read_built(read)
        assert api.draw(flow).graph == read_graph(flow)
    assert before.graph.nodes["n0/n0"].kind is Kind.TASK


def test_a_workflow_that_fails_to_compile_is_never_run_as_it_was(notebook: Notebook) -> None:
    notebook.run(COUNTED)
    assert api.run(notebook.names["flow"], x=1).result == 6
    notebook.run("def note():\n    raise KeyError('no')")
    for _ in range(2):
        with pytest.raises(KeyError, match="no"):
            api.run(notebook.names["flow"], x=1)
        with pytest.raises(KeyError, match="no"):
            notebook.names["flow"](x=1)
    card, _ = entity_bundle(notebook.names["flow"])
    for text in card.values():
        assert "does not compile" in text
        assert "KeyError" in text
    assert "stale: it doesn't compile any more" in card["text/plain"]
    assert "n2  other" in card["text/plain"]
    assert "data:image/svg+xml" in card["text/html"]
    notebook.run("def note():\n    next(compiles)")
    assert api.run(notebook.names["flow"], x=1).result == 6
    assert "does not compile" not in entity_bundle(notebook.names["flow"])[0]["text/plain"]
