"""After every edit of what a task reaches, a resumed run gives what the plainly called function gives.

After a change that changes nothing, it re-uses the node.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import flytenb
from flytenb.model import CacheStatus
from tests.edits import CONSTRUCTS, ONCE, PLACES, PRELUDE, QUICK, SAME
from tests.notebook_cells import NotebookCells

FLOW = "from flytekit import task\n@task\ndef flow(x: int) -> str:\n    return repr(f(x))"
ROWS = [
    pytest.param(source, PLACES[where], id=f"{name} {where}", marks=[] if where in QUICK else [pytest.mark.slow])
    for name, source in CONSTRUCTS.items()
    for where in ("called", "by a default", "by a method")
    if where in QUICK or name not in ONCE
]


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NotebookCells]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLYTENB_EDIT", "")
    monkeypatch.setenv("FLYTENB_SET", "")
    monkeypatch.setitem(sys.modules, "notebook_of_a_test", None)
    made = NotebookCells("notebook_of_a_test")
    made.run(PRELUDE)
    yield made


@pytest.mark.sampled(7)
@pytest.mark.parametrize(("source", "place"), ROWS)
def test_no_edit_is_answered_with_the_old_value(source: str, place: str, notebook: NotebookCells) -> None:
    notebook.run(source.format(k=2), place, FLOW)
    first = flytenb.run(notebook.flow, x=3)
    notebook.run(source.format(k=3))
    second = flytenb.run(notebook.flow, x=3, resume=first)
    if second.nodes["n0"].cache_status is CacheStatus.REUSED:
        assert second.result == repr(notebook.f(3))
    notebook.run(place, FLOW)
    third = flytenb.run(notebook.flow, x=3, resume=first)
    assert third.nodes["n0"].cache_status is not CacheStatus.REUSED


@pytest.mark.slow
@pytest.mark.parametrize("sources", SAME.values(), ids=SAME)
def test_what_changes_nothing_runs_nothing(sources: tuple[str, ...], notebook: NotebookCells) -> None:
    notebook.run(sources[0], PLACES["called"], FLOW)
    first = flytenb.run(notebook.flow, x=3)
    notebook.run(sources[-1], PLACES["called"], FLOW)
    node = flytenb.run(notebook.flow, x=3, resume=first).nodes["n0"]
    assert node.cache_status is CacheStatus.REUSED, node.resumed


def test_the_table_is_large() -> None:
    assert len(ROWS) >= 300
