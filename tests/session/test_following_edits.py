"""After every edit of what a followed call reaches, its last good values are those of the plainly called function."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flytenb.session.following import Follow
from flytenb.session.host import host
from flytenb.session.options import Options
from flytenb.session.session import Session
from flytenb.ship.cells import CellRun
from tests.edits import CONSTRUCTS, ONCE, PLACES, PRELUDE, SAME
from tests.notebook_cells import NotebookCells
from tests.waiting import wait_for

FLOW = "from flytekit import task\n@task\ndef flow(x: int) -> str:\n    return repr(f(x))"
CHANGED_BY_RUNS = {"a dict that it pops from", "a global that it counts"}
"""Constructs of which each call gives another answer."""
ROWS = {name: source for name, source in CONSTRUCTS.items() if name not in ONCE}


class Followed:
    """A notebook's cells, with a session of their own in which `flow(x=3)` is followed."""

    def __init__(self) -> None:
        self.cells = NotebookCells("__main__")
        self.session = Session()
        self._close = host.open(self.session)
        self._number = 0
        self.run(PRELUDE)

    def run(self, *sources: str) -> None:
        """Run cells as a kernel does, with what the extension does before and after each."""
        for source in sources:
            self._number += 1
            self.session.settle()
            self.cells.run(source)
            self.session.cells.add(CellRun(self._number, source))
            self.session.update(vars(self.cells.module), self._number, source)
            self.session.look()

    def follow(self) -> Follow:
        followed = Follow(self.session, "flow(x=3)", lambda: (self.cells.flow, (), {"x": 3}), Options())
        self.session.follows.append(followed)
        followed.look()
        return followed

    def close(self) -> None:
        self.session.stop_following()
        self._close()


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Followed]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLYTENB_EDIT", "")
    monkeypatch.setenv("FLYTENB_SET", "")
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    made = Followed()
    yield made
    made.close()


def result(followed: Follow) -> object:
    """Wait until nothing is on, and return the last good value."""
    wait_for(lambda: followed.good is followed.run is not None and not followed.is_running)
    assert followed.good is not None
    return followed.good.result


@pytest.mark.sampled(16)
@pytest.mark.parametrize("name", ROWS)
def test_no_edit_leaves_the_old_value(name: str, notebook: Followed) -> None:
    notebook.run(ROWS[name].format(k=2), PLACES["called"], FLOW)
    followed = notebook.follow()
    before = result(followed), followed.run
    notebook.run(ROWS[name].format(k=3))
    if name in CHANGED_BY_RUNS:
        assert result(followed) != before[0] or followed.run is not before[1]
    else:
        assert result(followed) == repr(notebook.cells.f(3))


@pytest.mark.slow
@pytest.mark.parametrize("where", PLACES)
def test_no_place_hides_an_edit(where: str, notebook: Followed) -> None:
    source = "K = {k}\ndef h(x): return x * K"
    notebook.run(source.format(k=2), PLACES[where], FLOW)
    followed = notebook.follow()
    for cell in (source.format(k=3), PLACES[where], "K = 7"):
        notebook.run(cell)
        assert result(followed) == repr(notebook.cells.f(3))
    notebook.run(FLOW.replace("return ", "return 'again ' + "))
    assert result(followed) == f"again {notebook.cells.f(3)!r}"


@pytest.mark.slow
@pytest.mark.parametrize("sources", SAME.values(), ids=SAME)
def test_what_changes_nothing_starts_nothing(sources: tuple[str, ...], notebook: Followed) -> None:
    notebook.run(sources[0], PLACES["called"], FLOW)
    followed = notebook.follow()
    result(followed)
    first = followed.run
    notebook.run(sources[-1], PLACES["called"], FLOW)
    assert followed.run is first


def test_the_table_is_large() -> None:
    assert len(ROWS) >= 100
