"""A run along the clock, and two runs side by side."""

from __future__ import annotations

from typing import Any

import pandas as pd
from flytekit import task, workflow

from flytenb.runner.run import Run
from flytenb.runner.settings import Settings
from flytenb.runner.timeline import Difference


@task
def half(x: int) -> int:
    return 100 // x


@task
def frame(x: int) -> pd.DataFrame:
    return pd.DataFrame({"x": [x, 1]})


@workflow
def halves(x: int, y: int) -> tuple[int, pd.DataFrame]:
    return half(x=half(x=x)), frame(x=y)


def run(**inputs: Any) -> Run:
    return Run(halves, inputs, Settings(workers=1)).begin().wait(30)


def test_a_timeline_has_each_node_that_started_in_that_order() -> None:
    done = run(x=5, y=1)
    timeline = done.timeline()
    assert {bar.path for bar in timeline.bars} == {"n0", "n1", "n2"}
    assert [bar.start for bar in timeline.bars] == sorted(bar.start for bar in timeline.bars)
    starts = {bar.path: bar for bar in timeline.bars}
    assert starts["n1"].start >= starts["n0"].start + starts["n0"].duration
    assert all(bar.start + bar.duration <= timeline.total for bar in timeline.bars)
    text = repr(timeline)
    assert all(f"{path} half" in text for path in ("n0", "n1"))
    assert "in all" in text


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
