"""The parts of the code that a task reaches: where each is defined, and which of them an edit has changed."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from flytekit import task, workflow

import flytenb
from flytenb.errors import NotAnEntityError
from flytenb.reach.code_digest import CodeDigest
from tests.edit_trial import Notebook
from tests.edits import CONSTRUCTS, ONCE

CELL = """
import jobs_of_a_test
RATE = 2
TABLE = {"a": [1]}
class Options:
    by = 3
    def scaled(self, x): return x * self.by
def deeper(x): return x + TABLE["a"][0]
def helper(x, by=1): return deeper(x) * RATE * by
def decorated(g):
    def inner(x): return g(x) + 1
    return inner
@decorated
def wrapped(x): return x
def f(x: int) -> int:
    return helper(x) + Options().scaled(x) + wrapped(x) + jobs_of_a_test.job(x) + jobs_of_a_test.LIMIT
"""
JOBS = "LIMIT = 5\n\n\ndef job(x):\n    return x * 7\n"
EDITS = {
    "a constant": ("RATE = 3", "changed constant RATE"),
    "inside of a constant": ("TABLE['a'][0] = 2", "changed constant TABLE"),
    "a helper's helper": ("def deeper(x): return x - TABLE['a'][0]", "changed function deeper"),
    "a default": ("helper.__defaults__ = (2,)", "changed function helper"),
    "a class attribute": ("Options.by = 4", "changed class Options"),
    "a method": ("Options.scaled = lambda self, x: x", "changed class Options"),
    "what is decorated": ("@decorated\ndef wrapped(x): return -x", "changed function wrapped"),
    "a constant of a module": ("jobs_of_a_test.LIMIT = 6", "changed constant jobs_of_a_test.LIMIT"),
    "the task itself": ("def f(x: int) -> int: return helper(x)", "changed function f"),
}


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    (tmp_path / "jobs_of_a_test.py").write_text(JOBS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLYTENB_EDIT", "")
    monkeypatch.setenv("FLYTENB_SET", "")
    monkeypatch.setitem(sys.modules, "notebook_of_a_test", None)  # which is put back afterwards
    yield Notebook()
    sys.modules.pop("jobs_of_a_test", None)


def code(notebook: Notebook) -> flytenb.Code:
    return flytenb.Code.of(notebook.f, "f")


def changed(before: flytenb.Code, after: flytenb.Code) -> list[str]:
    """The lines of a difference without the module of the notebook and without places."""
    return [line.replace("notebook_of_a_test.", "").split(" (")[0] for line in before.diff(after)]


def test_each_part_is_listed_with_the_place_where_it_is_defined(notebook: Notebook) -> None:
    notebook.run(CELL)
    parts = {(p.kind, p.name.replace("notebook_of_a_test.", "")): p.place for p in code(notebook).parts}
    places = {
        ("function", "f"): "<cell 2>:15",
        ("function", "helper"): "<cell 2>:9",
        ("function", "deeper"): "<cell 2>:8",
        ("function", "wrapped"): "<cell 2>:13",
        ("function", "decorated.<locals>.inner"): "<cell 2>:11",
        ("function", "Options.scaled"): "<cell 2>:7",
        ("function", "jobs_of_a_test.job"): "jobs_of_a_test.py:4",
        ("constant", "jobs_of_a_test.LIMIT"): "jobs_of_a_test.py",
        ("constant", "RATE"): "<cell>",
        ("constant", "TABLE"): "<cell>",
        ("class", "Options"): "<cell>",
    }
    assert {key: place for key, place in parts.items() if key in places} == places
    assert parts.keys() - places.keys() == {("identity", "of shared objects")}


EXTERNAL = {
    "an environment variable": (
        "import os\ndef f(x): return os.environ['FLYTENB_EDIT']",
        "os.environ['FLYTENB_EDIT'] = 'b'",
        "changed variable FLYTENB_EDIT",
    ),
    "the whole environment": (
        "import os\ndef f(x): return dict(os.environ)",
        "os.environ['FLYTENB_EDIT'] = 'b'",
        "changed variable all",
    ),
    "a file": (
        "def f(x): return open('data.txt').read()",
        "from pathlib import Path\nPath('data.txt').write_text('b')",
        "changed file data.txt",
    ),
    "a file that is new": (
        "def f(x): return open('new.txt').read()",
        "from pathlib import Path\nPath('new.txt').write_text('b')",
        "added file new.txt",
    ),
    "a setting": ("import os\ndef f(x): return os.getcwd()", "os.chdir('/')", "changed setting working directory"),
    "the state of a library": (
        "import random\nrandom.seed(1)\ndef f(x): return random.random()",
        "random.seed(2)",
        "changed setting state of random",
    ),
    "a patch": (
        "import fractions\ndef f(x): return fractions.Fraction(x).flytenb_of_a_test",
        "fractions.Fraction.flytenb_of_a_test = 2",
        "changed patch fractions.Fraction.flytenb_of_a_test",
    ),
    "the same object": ("A = [1]\nB = A\ndef f(x): return A, B", "B = [1]", "changed identity of shared objects"),
}


@pytest.mark.parametrize("edit", EXTERNAL)
def test_what_code_reads_besides_objects_is_named(
    edit: str, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("data.txt").write_text("a")
    monkeypatch.setattr(Fraction, "flytenb_of_a_test", 1, raising=False)
    source, change, line = EXTERNAL[edit]
    state = random.getstate()
    notebook.run(source)
    before = code(notebook)
    assert before.diff(code(notebook)) == ()
    notebook.run(change)
    named = changed(before, code(notebook))
    random.setstate(state)
    assert line in named
    # The working directory is also where files are looked for; another object is also another constant.
    assert {other.split()[1] for other in named if other != line} <= {"file", "constant"}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_is_named_and_nothing_else_is(edit: str, notebook: Notebook) -> None:
    notebook.run(CELL)
    before = code(notebook)
    assert before.diff(code(notebook)) == ()
    source, line = EDITS[edit]
    notebook.run(source)
    after = code(notebook)
    named = changed(before, after)
    assert line in named
    # A member that was set from outside, or replaced, comes and goes with its class.
    assert all(other.split()[0] in ("added", "removed") for other in named if other != line)
    assert after.digest != before.digest


@pytest.mark.sampled(5)
@pytest.mark.parametrize("construct", [pytest.param(c, marks=[pytest.mark.slow] * (c in ONCE)) for c in CONSTRUCTS])
def test_a_difference_is_named_whenever_the_key_is_another(construct: str, notebook: Notebook) -> None:
    place = "def f(x): return h(x)"
    codes = []
    for k in (2, 3):
        notebook.run(CONSTRUCTS[construct].format(k=k))
        notebook.run(place)
        codes.append(code(notebook))
        if not codes[-1].unread:
            assert codes[-1].digest == CodeDigest(notebook.f).now().hex()
    before, after = codes
    assert bool(before.diff(after)) == (before.digest != after.digest)
    assert "changed function f" not in changed(before, after)


RATE = 2


@task(cache=True, cache_version="1")
def rated(x: int) -> int:
    return x * RATE


@workflow
def above(x: int) -> int:
    return rated(x=x)  # type: ignore[no-any-return]


@pytest.mark.parametrize("entity", [rated, above])
def test_the_code_of_a_workflow_contains_that_of_its_tasks(entity: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = flytenb.code_of(entity)
    assert before.digest == CodeDigest(entity).now().hex()
    monkeypatch.setattr(sys.modules[__name__], "RATE", 3)
    assert before.diff(flytenb.code_of(entity)) == (f"changed constant {__name__}.RATE (test_code_parts.py)",)


def test_equal_numbers_are_parts_by_their_names(notebook: Notebook) -> None:
    """Python has one object for each small number: names and numbers in the code of others are apart all the same."""
    notebook.run("A = 2\nB = 2\ndef other(x): return x + 2\ndef g(x): return B\ndef f(x): return A, other(x), g(x)")
    before = code(notebook)
    assert {"A", "B"} <= {p.name.rpartition(".")[2] for p in before.parts if p.kind == "constant"}
    other = ("function", "notebook_of_a_test.other")
    assert before.reached_from(other) == {other}
    notebook.run("B = 3")
    assert changed(before, code(notebook)) == ["changed constant B"]


def test_what_cannot_be_read_is_told(notebook: Notebook) -> None:
    notebook.run("def f(x): return eval('x')")
    assert [what for what in code(notebook).unread if "eval() may read anything" in what]
    assert "not read: f: eval() may read anything" in repr(code(notebook))


def test_it_is_shown_as_text_and_html(notebook: Notebook) -> None:
    notebook.run("f = lambda x: x")
    found = code(notebook)
    bundle = found._repr_mimebundle_()
    assert "<lambda>" in bundle["text/plain"] == repr(found)
    assert "&lt;lambda&gt;" in bundle["text/html"]
    assert "<lambda>" not in bundle["text/html"]


def test_what_is_no_code_is_refused() -> None:
    with pytest.raises(NotAnEntityError, match="int"):
        flytenb.code_of(5)
    with pytest.raises(TypeError, match=r"expected a Code, got an object of type 'int'; make one with code_of"):
        flytenb.code_of(rated).diff(5)  # type: ignore[arg-type]
