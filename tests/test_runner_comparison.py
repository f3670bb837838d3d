"""Two runs side by side."""

from __future__ import annotations

from typing import Any

import pandas as pd
from flytekit import dynamic, task, workflow

from flytenb.runner.comparison import Difference
from flytenb.runner.run import Run
from flytenb.runner.settings import Settings


@task
def half(x: int) -> int:
    return 100 // x


@task
def frame(x: int) -> pd.DataFrame:
    return pd.DataFrame({"x": [x, 1]})


@workflow
def halves(x: int, y: int) -> tuple[int, pd.DataFrame]:
    return half(x=half(x=x)), frame(x=y)


@dynamic
def spread(n: int) -> list[int]:
    return [half(x=i + 1) for i in range(n)]


@workflow
def spreads(n: int) -> list[int]:
    return spread(n=n)


def run(**inputs: Any) -> Run:
    return Run(halves, inputs, Settings(workers=1)).begin().wait(30)


def test_runs_that_gave_the_same_differ_in_nothing() -> None:
    comparison = run(x=5, y=1).compare(run(x=5, y=1))
    assert not comparison
    assert repr(comparison).startswith("nothing differs")


def test_runs_that_differ_say_where() -> None:
    differences = run(x=5, y=1).compare(run(x=10, y=1)).differences
    assert Difference("n0", "o0", 20, 10) in differences
    assert Difference("n1", "o0", 5, 10) in differences
    assert not [d for d in differences if d.path == "n2"]
    frames = run(x=5, y=1).compare(run(x=5, y=2)).differences
    assert {(d.path, d.what) for d in frames} == {("", "o1"), ("n2", "o0")}


def test_a_failed_run_differs_by_its_phases() -> None:
    failed = run(x=0, y=1)
    differences = failed.compare(run(x=5, y=1)).differences
    assert Difference("n0", "phase", "FAILED", "SUCCEEDED") in differences
    assert Difference("", "phase", "FAILED", "SUCCEEDED") in differences


def test_the_differences_are_told_in_a_table_one_line_each() -> None:
    one, two = run(x=5, y=1), run(x=10, y=2)
    header, *rows, took = repr(one.compare(two)).splitlines()
    assert header.split("  ")[0] == "node"
    assert [row.split()[:2] for row in rows] == [
        ["(run)", "o0"],
        ["(run)", "o1"],
        ["n0", "o0"],
        ["n1", "o0"],
        ["n2", "o0"],
    ]
    assert rows[2].split()[2:] == ["20", "10"]
    assert took == f"took {one.duration:.3f} s and {two.duration:.3f} s"


def test_a_node_that_only_one_run_has_is_there_or_not_there() -> None:
    comparison = (
        Run(spreads, {"n": 1}, Settings()).begin().wait(30).compare(Run(spreads, {"n": 2}, Settings()).begin().wait(30))
    )
    assert Difference("n0/dn1", "node", False, True) in comparison.differences
    assert any(row.split() == ["n0/dn1", "node", "not", "there", "there"] for row in repr(comparison).splitlines())
