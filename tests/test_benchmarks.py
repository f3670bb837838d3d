"""The benchmarks run, and every side that is always there gives the right answer; how fast is not a test."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
BENCHMARKS = ROOT / "benchmarks"
SMALL = 3


@pytest.fixture(scope="module")
def scripts() -> Iterator[dict[str, Any]]:
    """The modules beside `run.py`, by name, importable for a while."""
    sys.path.insert(0, str(BENCHMARKS))
    names = [p.stem for p in BENCHMARKS.glob("*.py")]
    yield {name: importlib.import_module(name) for name in names}
    sys.path.remove(str(BENCHMARKS))
    for name in names:
        del sys.modules[name]


def test_every_workload_is_in_the_list_and_named_as_its_file(scripts: dict[str, Any]) -> None:
    workloads = {name: script.WORKLOAD for name, script in scripts.items() if hasattr(script, "WORKLOAD")}
    assert set(scripts) - set(workloads) == {"run", "side", "workload", "cache_edits"}
    assert sorted(w.name for w in scripts["run"].WORKLOADS) == sorted(workloads)
    assert all(w.name == name for name, w in workloads.items())
    assert all(set(w.targets) <= set(w.sizes) for w in workloads.values())


@pytest.mark.slow
@pytest.mark.kernel
@pytest.mark.dot
@pytest.mark.docker
@pytest.mark.parametrize("name", ["plain", "flytekit", "flytenb"])
def test_each_side_gives_the_right_answers(name: str, scripts: dict[str, Any], tmp_path: Path) -> None:
    wrong = {}
    with scripts["side"].Side(name, tmp_path) as side:
        for workload in scripts["run"].WORKLOADS:
            if name in workload.sides:
                reply = side.time(workload.name, SMALL)
                if reply.get("error") or reply["result"] != workload.answer(SMALL):
                    wrong[workload.name] = reply
    # A file is written anew for each frame, and its random name is part of flytekit's key.
    assert set(wrong) == ({"cache_key"} if name == "flytekit" else set()), wrong


@pytest.mark.slow
@pytest.mark.parametrize("module", ["benchmarks/chain.py", "benchmarks/run.py"])
def test_the_command_line_compares_the_sides_of_one_run(module: str) -> None:
    only = ["chain"] if module.endswith("run.py") else []
    command = [sys.executable, module, *only, "--rounds", "2", "--sizes", "3", "--sides", "plain,flytenb"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {row["side"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert set(rows) == {"plain", "flytenb"}
    for row in rows.values():
        assert (row["workload"], row["size"], row["rounds"]) == ("chain", 3, 2)
        assert 0 < row["min_s"] <= row["median_s"] <= row["max_s"]
    smallest, largest = rows["flytenb"]["ratio_to_plain_spread"]
    assert smallest <= rows["flytenb"]["ratio_to_plain"] <= largest


def test_a_wrong_answer_is_a_failure_and_no_time(scripts: dict[str, Any]) -> None:
    class Liar:
        name = "flytenb"

        def time(self, workload: str, size: int) -> dict[str, Any]:
            return {"seconds": 0.0, "result": size + 1, "also": {}}

    workload = scripts["chain"].WORKLOAD
    [row] = scripts["workload"].measure(workload, SMALL, [Liar()], rounds=5).rows()
    assert row == {"workload": "chain", "size": SMALL, "side": "flytenb", "failed": "answered 4"}


def test_a_target_is_judged_by_the_figure_that_it_names(scripts: dict[str, Any]) -> None:
    target = scripts["workload"].Target("ratio_to_plain", 1.1)
    assert target.is_reached({"ratio_to_plain": 1.1}) is True
    assert target.is_reached({"ratio_to_plain": 1.2}) is False
    assert target.is_reached({"median_s": 1.0}) is None
