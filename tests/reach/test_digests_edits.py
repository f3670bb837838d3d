"""After every edit of what a task reaches, its key is another whenever the plainly called function's answer is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flytenb.reach.code_digest import CodeDigest
from tests.edit_trial import Entry, Notebook, try_edit
from tests.edits import CONSTRUCTS, ONCE, PLACES, QUICK, SAME

MATRIX = [
    pytest.param(source, place, id=f"{name} {where}", marks=[pytest.mark.slow] * (where not in QUICK or name in ONCE))
    for name, source in CONSTRUCTS.items()
    for where, place in PLACES.items()
    if where in QUICK or name not in ONCE
]


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLYTENB_EDIT", "")
    monkeypatch.setenv("FLYTENB_SET", "")
    monkeypatch.setitem(sys.modules, "notebook_of_a_test", None)  # which is put back afterwards
    yield Notebook()


@pytest.mark.sampled(7)
@pytest.mark.parametrize(("source", "place"), MATRIX)
def test_no_edit_is_answered_with_the_old_value(source: str, place: str, notebook: Notebook) -> None:
    assert try_edit(notebook, source, place) == []


def test_the_table_is_large() -> None:
    assert len(MATRIX) >= 300


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        pytest.param(*pair, place, id=f"{name} {where}", marks=[] if where in QUICK else [pytest.mark.slow])
        for name, pair in SAME.items()
        for where, place in PLACES.items()
    ],
)
def test_what_changes_no_answer_keeps_the_key(before: str, after: str, place: str, notebook: Notebook) -> None:
    notebook.run(before)
    notebook.run(place)
    digest = CodeDigest(notebook.f)
    entry = Entry(digest, notebook.f)
    assert entry.is_hit(digest)
    assert entry.is_hit(CodeDigest(notebook.f))
    notebook.run(after)
    notebook.run(place)
    assert entry.is_hit(CodeDigest(notebook.f))
