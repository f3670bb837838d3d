"""Why a call isn't answered from the cache, and what the cache holds; the oracle is the edit that the test made."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from diskcache import Cache as Store
from flytekit.core.local_cache import LocalTaskCache

import flytenb
from flytenb.cache import store as cache_store
from flytenb.errors import UsageError
from tests.ship.notebooks import Notebook, open_notebook

BASE = """
import os
import flytenb
from flytekit import dynamic, task, workflow
from pathlib import Path
RATE = 2
def scale(x): return x * RATE
@task(cache=True, cache_version="1")
def a(x: int, y: int = 1) -> int:
    return scale(x) + y
@task(cache=True, cache_version="1")
def reads(name: str) -> str:
    return Path(name + ".txt").read_text()
@task(cache=True, cache_version="1")
def home(x: int) -> str:
    return os.environ["FLYTENB_EDIT"]
@dynamic(cache=True, cache_version="1")
def grows(x: int) -> int:
    return a(x=scale(x))
"""


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    monkeypatch.setattr(LocalTaskCache, "_cache", Store(str(tmp_path / "cache")), raising=False)
    monkeypatch.setattr(LocalTaskCache, "_initialized", True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLYTENB_EDIT", "1")
    with open_notebook() as notebook:
        notebook.run(BASE)
        yield notebook


def node(notebook: Notebook, call: str) -> tuple[str, str]:
    """Run a task; return how its cache was used and why it wasn't."""
    found = notebook.run(f"run = flytenb.options(cache=True).start({call}); run.wait(); run.nodes['n0']")
    return str(found.cache_status), found.cache_reason


def test_each_miss_names_what_differs_from_the_latest_stored_call(notebook: Notebook) -> None:
    assert node(notebook, "a, x=1") == ("POPULATED", "no entry")
    assert node(notebook, "a, x=1") == ("HIT", "")
    assert node(notebook, "a, x=2") == ("POPULATED", "input `x`")
    assert node(notebook, "a, x=3, y=2") == ("POPULATED", "input `x`, input `y`")
    notebook.run("def scale(x): return x + RATE")
    assert node(notebook, "a, x=3, y=2") == ("POPULATED", "`scale` was redefined in cell 6")
    notebook.run("RATE = 3")
    assert node(notebook, "a, x=4, y=2") == ("POPULATED", "`RATE` has changed, input `x`")
    notebook.run("def scale(x):\n    # the same\n    return x + RATE")
    assert node(notebook, "a, x=4, y=2") == ("HIT", "")
    notebook.run("def scale(x): return eval('x')")
    status, why = node(notebook, "a, x=4, y=2")
    assert status == "SKIPPED"
    assert why.startswith("can't be proven: UnreadableCodeError: scale: eval()")


def test_a_changed_file_and_a_changed_variable_are_named(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("prices.txt").write_text("1")
    assert node(notebook, "reads, name='prices'") == ("POPULATED", "no entry")
    assert node(notebook, "reads, name='prices'") == ("HIT", "")
    Path("prices.txt").write_text("2")
    assert node(notebook, "reads, name='prices'") == ("POPULATED", "file prices.txt has changed since it was read")
    assert node(notebook, "home, x=1") == ("POPULATED", "no entry")
    monkeypatch.setenv("FLYTENB_EDIT", "2")
    assert node(notebook, "home, x=1") == ("POPULATED", "environment variable FLYTENB_EDIT has changed")


def test_a_call_is_not_compared_with_one_that_was_removed(notebook: Notebook) -> None:
    node(notebook, "a, x=1")
    assert flytenb.clear_cache("a") == 1
    assert node(notebook, "a, x=2") == ("POPULATED", "no entry")
    assert node(notebook, "a, x=1") == ("POPULATED", "input `x`")


def test_a_dynamic_says_why_too(notebook: Notebook) -> None:
    assert node(notebook, "grows, x=1") == ("POPULATED", "no entry")
    assert node(notebook, "grows, x=1") == ("HIT", "")
    assert node(notebook, "grows, x=2") == ("POPULATED", "input `x`")


def test_the_reason_is_in_the_details_of_a_node(notebook: Notebook) -> None:
    from flytenb.display.runs.node_details import NodeDetails
    from flytenb.display.show import show

    node(notebook, "a, x=1")
    node(notebook, "a, x=2")
    assert "cache populated: input `x`" in NodeDetails.of(notebook.names["run"], "n0", show).facts


def test_the_cache_is_listed_and_cleared_by_task_and_age(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "the cache holds nothing" in repr(flytenb.cached())
    for call in ("a, x=1", "a, x=2", "a, x=2", "home, x=1"):
        node(notebook, call)
    found = notebook.run("%flyte cache")
    assert [(row[0], row[4]) for row in found.rows] == [("a", "0"), ("a", "1"), ("home", "0")]
    assert all(len(row[1]) == 8 and row[2] != "0 B" for row in found.rows)
    notebook.run("%flyte cache --older 1h")
    assert "stored outputs removed: 0\n" in capsys.readouterr().out
    notebook.run("%flyte cache --clear a")
    assert "stored outputs of a removed: 2\n" in capsys.readouterr().out
    assert [row[0] for row in notebook.run("%flyte cache").rows] == ["home"]
    assert node(notebook, "a, x=1")[0] == "POPULATED"
    assert node(notebook, "home, x=1")[0] == "HIT"
    later = time.time() + 3 * 86400
    monkeypatch.setattr(time, "time", lambda: later)
    assert flytenb.clear_cache("home", timedelta(days=7)) == 0
    assert flytenb.clear_cache("home", timedelta(days=2)) == 1
    assert flytenb.clear_cache() == 1
    assert len(flytenb.cached()) == 0
    with pytest.raises(UsageError, match="--older must be a number and one of s, m, h, d, w, got '7'"):
        notebook.run("%flyte cache --older 7")


def test_a_run_neither_uses_nor_fills_the_cache_or_only_fills_it_if_told(notebook: Notebook) -> None:
    notebook.run("@workflow\ndef wf(x: int = 1) -> int:\n    return a(x=x)")
    used: list[Any] = []
    for options in ("", "--no-cache", "", "--overwrite-cache", ""):
        found = notebook.run(f"run = %flyte run wf() {options}\nrun.nodes['n0']")
        used.append((str(found.cache_status), found.cache_reason))
    assert used == [
        ("POPULATED", "no entry"),
        ("DISABLED", ""),
        ("HIT", ""),
        ("POPULATED", "the cache is overwritten"),
        ("HIT", ""),
    ]


def test_a_reason_that_cannot_be_found_costs_nothing_else(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    node(notebook, "a, x=1")
    monkeypatch.setattr("flytenb.cache.misses.latest", lambda name: 1 / 0)
    assert node(notebook, "a, x=2") == ("POPULATED", "")
    assert len(cache_store.entries()) >= 1
    assert node(notebook, "a, x=2") == ("HIT", "")
