"""Which statements of a notebook run when only its definitions are needed."""

from __future__ import annotations

import ast
from typing import NamedTuple

import pytest

from flytenb.ship.cells import CellRun
from flytenb.ship.defining_statements import DefiningStatements
from flytenb.ship.statements import read_statements

START = (
    "import flytenb\nimport flytekit\nfrom flytekit import LaunchPlan, Workflow, map_task, task, workflow\nimport math"
)
TASK = "@task\ndef step(x: int) -> int:\n    return x + len(TABLE)"
TABLE = "TABLE = [1]"
WF = "@workflow\ndef wf(x: int) -> int:\n    return step(x=x)"


class Case(NamedTuple):
    """A statement beside a task that reads `TABLE`, and whether it is needed for `wf`."""

    statement: str
    runs: bool


CASES = [
    Case("TABLE.append(2)", True),
    Case("TABLE[0] = 5", True),
    Case("TABLE = [0]", True),
    Case("TABLE += [4]", True),
    Case("for n in range(3):\n    TABLE.append(n)", True),
    Case("if math.pi > 3:\n    TABLE = [3]", True),
    Case("def fill():\n    global TABLE\n    TABLE = []\nfill()", True),
    Case("def fill():\n    return 3\nfill()", False),
    Case("def fill():\n    TABLE.append(3)\nfill()", True),
    Case("def note(f):\n    TABLE.append(f)\n    return f\n@note\ndef noted():\n    pass", True),
    Case("def note(n):\n    def add(f):\n        TABLE[n] = f\n    return add\n@note(0)\nclass Noted:\n    pass", True),
    Case("def plain(f):\n    return f\n@plain\ndef noted():\n    pass", False),
    Case("@TABLE.append\ndef noted():\n    pass", True),
    Case("@math.floor\ndef noted():\n    pass", False),
    Case("class Other(Base):\n    pass", False),
    Case("LIMIT = 3", False),
    Case("wf(x=3)", False),
    Case("print(wf(x=3))", False),
    Case("result = wf(x=len(TABLE))", False),
    Case("TABLE.append(wf(x=3))", False),
    Case("flytenb.run(wf, x=3)", False),
    Case("flytenb.options(workers=2).run(wf, x=len(TABLE))", False),
    Case("run = flytenb.run(wf, x=3)", False),
    Case("get_ipython().run_line_magic('flyte', 'run wf(x=3)')", False),
    Case("run = get_ipython().run_line_magic('flyte', 'run wf(x=3)')", False),
    Case("get_ipython().system('pip install x')", False),
    Case("get_ipython().run_line_magic('env', 'A=1')", True),
    Case("get_ipython().run_line_magic('load_ext', 'flytenb')", True),
    Case("wf", False),
    Case("'a text'", False),
    Case("TABLE", False),
    Case("assert wf(x=3) == 4", False),
    Case("for n in TABLE:\n    print(wf(x=n))", False),
    Case("import sys\nsys.path.insert(0, 'src')", True),
    Case("import os\nos.environ['A'] = 'b'", True),
    Case("import random\nrandom.seed(1)", False),
    Case("from math import *", True),
    Case("from __future__ import annotations", True),
    Case("class T: ...\nflytekit.extend.TypeEngine.register(T())", True),
    Case("plan = LaunchPlan.get_or_create(wf)", False),
    Case("import shutil\nshutil.rmtree('x')", False),
]


def chosen(*cells: str, names: tuple[str, ...] = ()) -> list[str]:
    """The statements that are chosen, by their code."""
    program = [s for number, cell in enumerate(cells) for s in read_statements(CellRun(number, cell))]
    found = DefiningStatements(program).choose(names)
    return [ast.unparse(statement.tree) for statement in program if statement in found]


def test_subclasses_run_whose_base_knows_them() -> None:
    hook = "    def __init_subclass__(cls):\n        Base.known[cls.__name__] = cls"
    cells = [f"class Base:\n    known = {{}}\n{hook}", "class One(Base):\n    pass", "class Two(One):\n    pass"]
    cells += ["class Meta(type):\n    pass", "class Row(metaclass=Meta):\n    pass", "class Wide(Row):\n    pass"]
    cells += ["class Plain:\n    pass", "class Other(Plain):\n    pass"]
    task = "@task\ndef step(x: int) -> int:\n    return len([Base.known, Row, Plain])"
    found = " ".join(chosen(START, *cells, task, WF, names=("wf",)))
    assert [name for name in ("One", "Two", "Wide", "Other") if f"class {name}(" in found] == ["One", "Two", "Wide"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.statement.splitlines()[-1].strip())
def test_a_statement_runs_if_the_workflow_may_need_it(case: Case) -> None:
    last = ast.unparse(ast.parse(case.statement).body[-1])
    found = chosen(START, TABLE, case.statement, TASK, WF, names=("wf",))
    assert (last in found) is case.runs, found
    assert {ast.unparse(ast.parse(code).body[0]) for code in (TABLE, TASK, WF)} <= set(found)


ENTITIES = {
    "@task\ndef a() -> int: ...": ["a"],
    "@flytekit.task(retries=2)\ndef a() -> int: ...": ["a"],
    "def a() -> int: ...": [],
    "a = map_task(step)": ["a"],
    "a = LaunchPlan.get_or_create(wf)": ["a"],
    "a = Workflow(name='x')": ["a"],
    "class Own(flytekit.PythonFunctionTask): ...\na = Own()": ["a"],
    "class Own: ...\na = Own()": [],
    "a = flytenb.container('f', 'x', lang='r')": ["a"],
    "a = flytenb.run(wf)": [],
    "from flytekit.remote import FlyteRemote\na = FlyteRemote()": [],
    "a = step(x=3)": [],
    "a = math.floor(3)": [],
    "import functools\n@functools.cache\ndef a(): ...": [],
    "if math.pi > 3:\n    a = map_task(step)": ["a"],
    "try:\n    a = map_task(step)\nexcept ValueError:\n    b = Workflow(name='x')": ["a", "b"],
    "with open('x'):\n    @task\n    def a() -> int: ...": ["a"],
    "for n in range(3):\n    a = step(x=n)": [],
    "b, a = map_task(step), map_task(step)": ["a", "b"],
    "a = map_task(step) if math.pi > 3 else None": ["a"],
    "import functools\ncached = functools.partial(task, cache=True)\n@cached\ndef a() -> int: ...": ["a"],
    "def large(f):\n    return task(retries=3)(f)\n@large\ndef a() -> int: ...": ["a"],
    "def make():\n    @task\n    def inner() -> int: ...\n    return inner\na = make()": [],
    "def half(f):\n    return f\n@half\ndef a() -> int: ...": [],
}


@pytest.mark.parametrize("code", ENTITIES)
def test_entities_are_found_without_running_anything(code: str) -> None:
    program = [s for cell in (START, code) for s in read_statements(CellRun(1, cell))]
    assert DefiningStatements(program).entities == ENTITIES[code]


def test_functions_of_a_cell_of_a_magic_are_entities_but_for_private_ones() -> None:
    statements = read_statements(CellRun(1, "def a() -> int: ...\ndef _b(): ...", "task"))
    assert DefiningStatements(statements).entities == ["a"]


def test_all_entities_and_what_they_need_are_chosen_by_default() -> None:
    assert chosen(START, "UNUSED = 1", TABLE, TASK, "step(x=1)")[-2:] == [TABLE, ast.unparse(ast.parse(TASK))]


def test_a_cell_that_runs_again_unchanged_is_not_read_again() -> None:
    source = "N = 3\n@task\ndef f(x: int) -> int:\n    return x + N"
    first, again, failed = (CellRun(number, source, failed_at=at) for number, at in ((1, None), (2, None), (3, 2)))
    before, after = read_statements(first), read_statements(again)
    assert [s.tree for s in before] == [s.tree for s in after]  # the same objects
    assert {s.cell for s in before} == {first}
    assert {s.cell for s in after} == {again}
    assert [s.before for s in after] == [None, after[0]]
    assert read_statements(again) is after
    assert [s.text for s in read_statements(failed)] == ["N = 3"]
    assert set(before).isdisjoint(after)
