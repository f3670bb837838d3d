"""What a followed call takes for an edit: what a cell or a person changes, and nothing that a run changes itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flytenb.session.following import Follow
from tests.ship.notebooks import Notebook, open_notebook
from tests.waiting import wait_for

BASE = """
import os, subprocess, threading
from pathlib import Path
import flytenb
from flytekit import task, workflow
gate = threading.Event()
gate.set()
table, seen = {"a": 2}, []

def scale(x): return x * table["a"]
"""
FLOW = """
@task
def flow(x: int) -> str:
    writes(x)
    gate.wait()
    return str(scale(x)) + Path("config.txt").read_text()
"""
WRITES = {
    "nothing": "pass",
    "appends to a file": "with open('log.txt', 'a') as o: o.write('a')",
    "appends to a file by its path": "with Path('log.txt').open('a') as o: o.write('a')",
    "counts in a file": "Path('log.txt').write_text(str(len(Path('log.txt').read_text()) * 'a' + 'a'))",
    "lets a program append to a file": "subprocess.run(['tee', '-a', 'log.txt'], input=b'a', check=True)",
    "renames a file": "Path('new').write_text(Path('log.txt').read_text() + 'a')\n    os.replace('new', 'log.txt')",
    "makes a file": "Path(f'made{len(os.listdir())}.txt').write_text('made0.txt made1.txt made2.txt')",
    "sets a variable that it reads": "os.environ['FLYTENB_EDIT'] = os.environ.get('FLYTENB_EDIT', '') + 'a'",
    "appends to a list that it reads": "seen.append(len(seen))",
    "changes a table that it reads": "table[x] = len(table)",
}
"""Bodies with a lasting effect on what the code itself reads."""


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLYTENB_EDIT", "")
    monkeypatch.setenv("FLYTENB_STATIC", "1")
    Path("config.txt").write_text("!")
    Path("log.txt").write_text("")
    with open_notebook() as notebook:
        yield notebook


def follow(notebook: Notebook, writes: str = "pass") -> Follow:
    """Follow the call, and wait until its first run has succeeded."""
    made = notebook.run(BASE, f"def writes(x):\n    {writes}", FLOW, "flytenb.follow(flow, x=3)")
    assert isinstance(made, Follow)
    return settled(made)


def settled(followed: Follow) -> Follow:
    """Wait until nothing is on or wanted any more."""
    wait_for(lambda: followed.good is followed.run is not None and not followed.is_running)
    return followed


@pytest.mark.parametrize("writes", WRITES.values(), ids=WRITES)
def test_what_a_run_writes_itself_starts_nothing(writes: str, notebook: Notebook) -> None:
    followed = follow(notebook, writes)
    first = followed.run
    notebook.run("1", "2")
    assert followed.run is first
    notebook.run("own = flytenb.run(flow, x=4)", "3")
    assert followed.run is first
    notebook.run("def scale(x): return x * 5")
    assert settled(followed).good is not first
    assert str(followed.good.result) == "15!"
    second = followed.run
    notebook.run("4")
    assert followed.run is second


@pytest.mark.parametrize(
    ("cell", "answer"),
    [
        ("table['a'] = 7", "21!"),
        ("table.update(a=8)", "24!"),
        ("table = {'a': 9}", "27!"),
        ("Path('config.txt').write_text('?')", "6?"),
    ],
)
def test_what_a_cell_changes_starts_a_run_right_after_another(cell: str, answer: str, notebook: Notebook) -> None:
    followed = follow(notebook, WRITES["appends to a list that it reads"])
    notebook.run(cell)
    assert settled(followed).good is not None
    assert str(followed.good.result) == answer


def test_a_file_that_a_person_edits_between_two_cells_starts_a_run(notebook: Notebook) -> None:
    followed = follow(notebook)
    wait_for(lambda: followed._still[1] == 1)
    Path("config.txt").write_text("?")
    notebook.run("1")
    assert settled(followed).good is not None
    assert str(followed.good.result) == "6?"


@pytest.mark.parametrize("cell", ["table['a'] = 7", "table = {'a': 7}", "def scale(x): return 7 * x"])
def test_what_a_cell_changes_while_a_run_is_on_cancels_it(cell: str, notebook: Notebook) -> None:
    followed = follow(notebook)
    notebook.run("gate.clear()\ndef scale(x): return x * table['a'] + 1")
    second = followed.run
    notebook.run(cell, "gate.set()")
    assert settled(followed).good is not second is not None
    assert str(followed.good.result) == ("21!" if "def" in cell else "22!")


def test_code_that_cant_be_read_runs_after_each_cell_that_defines_something(notebook: Notebook) -> None:
    followed = follow(notebook, "eval('scale')")
    first = followed.run
    notebook.run("1 + 1")
    assert followed.run is first
    assert followed.unread
    notebook.run("def scale(x): return 7 * x")
    assert settled(followed).good is not first
    notebook.run("gate.clear()\nother = 1")
    on = followed.run
    notebook.run("other = 2")
    assert followed.run is on
    notebook.run("gate.set()")
    assert settled(followed).good is not on
    assert str(on.phase) == "SUCCEEDED"
