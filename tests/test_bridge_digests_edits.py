"""After every edit of what a task reaches, its key is another whenever the plainly called function's answer is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from flytenb.reach.code_digest import CodeDigest, UnreadableCodeError
from tests.edits import CONSTRUCTS, PLACES, PRELUDE, SAME

QUICK = {"called"}
MATRIX = [
    pytest.param(source, place, id=f"{name} {where}", marks=[] if where in QUICK else [pytest.mark.slow])
    for name, source in CONSTRUCTS.items()
    for where, place in PLACES.items()
]


class Notebook:
    """A module whose cells are run one after another, as a kernel runs them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._module = ModuleType("notebook_of_a_test")
        self._module.__file__ = "<cell>"
        monkeypatch.setitem(sys.modules, self._module.__name__, self._module)
        self._count = 0
        self.run(PRELUDE)

    def run(self, source: str) -> None:
        self._count += 1
        exec(compile(source, f"<cell {self._count}>", "exec", dont_inherit=True), vars(self._module))

    @property
    def f(self) -> Any:
        return self._module.f


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLYTENB_EDIT", "")
    monkeypatch.setenv("FLYTENB_SET", "")
    yield Notebook(monkeypatch)


def key(digest: CodeDigest) -> object:
    """The key, or something that equals nothing: then the cache isn't asked."""
    try:
        return digest.now()
    except UnreadableCodeError:
        return object()


@pytest.mark.parametrize(("source", "place"), MATRIX)
def test_no_edit_is_answered_with_the_old_value(source: str, place: str, notebook: Notebook) -> None:
    before, after = source.format(k=2), source.format(k=3)
    notebook.run(before)
    notebook.run(place)
    made = notebook.f
    digest = CodeDigest(made)
    old_key, old = key(digest), made(3)

    notebook.run(after)  # the cell of what the task reaches, and not its own
    new_key, new = key(digest), made(3)
    assert new == old or new_key != old_key

    notebook.run(after)
    notebook.run(place)
    made = notebook.f
    last_key, last = key(CodeDigest(made)), made(3)
    assert last != old, "the edit changes nothing"
    assert last_key != old_key


def test_the_table_is_large() -> None:
    assert len(MATRIX) >= 300


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
    made = notebook.f
    digest = CodeDigest(made)
    first = digest.now()
    made(3)
    assert digest.now() == CodeDigest(made).now() == first
    notebook.run(after)
    notebook.run(place)
    assert CodeDigest(notebook.f).now() == first
