"""Two runs side by side."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from flytekit import StructuredDataset, dynamic, task, workflow
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile

from flytenb.runner.comparison import Difference
from flytenb.runner.run import Run
from flytenb.runner.settings import Settings
from flytenb.wording.quantities import duration_text


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
    return Run(halves, inputs, Settings(workers=1))._begin().wait()


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


NODES = ("n0", "n1", "n2")


def test_the_differences_are_told_in_a_table_one_line_each() -> None:
    one, two = run(x=5, y=1), run(x=10, y=2)
    header, *rows, took = repr(one.compare(two)).splitlines()
    assert header.split("  ")[0] == "node"
    cells = [re.split(r"\s{2,}", row) for row in rows]
    places = [("(run)", "o0"), ("(run)", "o1"), *((f"{path} ({one.graph.nodes[path].name})", "o0") for path in NODES)]
    assert [tuple(row[:2]) for row in cells] == places
    assert cells[2][2:] == ["20", "10"]
    assert took == f"took {duration_text(one.duration)} and {duration_text(two.duration)}"


def test_a_node_that_only_one_run_has_is_there_or_not_there() -> None:
    comparison = (
        Run(spreads, {"n": 1}, Settings())._begin().wait().compare(Run(spreads, {"n": 2}, Settings())._begin().wait())
    )
    assert Difference("n0/dn1", "node", False, True) in comparison.differences
    [row] = [row for row in repr(comparison).splitlines() if row.startswith("n0/dn1 (")]
    assert row.split()[-3:] == ["node", "no", "yes"]


@dataclass
class Report:
    score: float
    file: FlyteFile
    parts: list[FlyteFile]


@task
def report(text: str) -> Report:
    paths = []
    for name in ("one", "two"):
        path = Path(tempfile.mkdtemp()) / f"{name}.txt"
        path.write_text(text)
        paths.append(FlyteFile(str(path)))
    return Report(float("nan"), paths[0], paths)


@task
def directory(text: str) -> FlyteDirectory:
    root = Path(tempfile.mkdtemp())
    (root / "inner").mkdir()
    (root / "inner" / "a.txt").write_text(text)
    return FlyteDirectory(str(root))


@task
def dataset(text: str) -> StructuredDataset:
    return StructuredDataset(dataframe=pd.DataFrame({"a": [1.0, float("nan")], "b": [text, "x"]}))


@task
def files(text: str) -> dict[str, FlyteFile]:
    path = Path(tempfile.mkdtemp()) / "a.txt"
    path.write_text(text)
    return {"k": FlyteFile(str(path))}


@task
def nan() -> float:
    return float("nan")


@workflow
def stored(text: str) -> tuple[Report, FlyteDirectory, StructuredDataset, dict[str, FlyteFile], float]:
    return report(text=text), directory(text=text), dataset(text=text), files(text=text), nan()


@pytest.mark.parametrize("strict", [False, True])
def test_what_is_stored_is_compared_by_content_at_any_depth(strict: bool) -> None:
    def ran(text: str) -> Run:
        return Run(stored, {"text": text}, Settings(strict=strict))._begin().wait()

    assert not ran("x").compare(ran("x"))
    differences = ran("x").compare(ran("y")).differences
    assert {(d.path, d.what, d.problem) for d in differences} == {
        *(("", f"o{i}", "") for i in range(4)),
        *((f"n{i}", "o0", "") for i in range(4)),
    }


class Moody:
    def __init__(self, x: int) -> None:
        self.x = x

    def __eq__(self, other: object) -> bool:
        raise ArithmeticError("not\x1b[31m today")


@task
def moody(x: int) -> Moody:
    return Moody(x)


def test_a_value_that_can_not_be_compared_is_said_to_be_so() -> None:
    one, other = (Run(moody, {"x": 1}, Settings())._begin().wait() for _ in range(2))
    comparison = one.compare(other)
    assert comparison
    assert [(d.path, d.what) for d in comparison.differences] == [("", "o0"), ("n0", "o0")]
    assert all("ArithmeticError: not" in d.problem for d in comparison.differences)
    assert "o0 can't be compared: ArithmeticError: not" in repr(comparison)
    assert "\x1b" not in repr(comparison)
