"""The benchmarks run, and every side that is always there gives the right answer; how fast is not a test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_workload_is_done_rightly_by_flytenb_flytekit_and_the_plain_limit() -> None:
    command = [
        sys.executable,
        "benchmarks/run.py",
        "--rounds",
        "1",
        "--sizes",
        "3",
        "--sides",
        "plain,flytekit,flytenb",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert not [row for row in rows if "failed" in row]
    workloads = {p.stem for p in (ROOT / "benchmarks").glob("*.py")} - {"run", "side", "workload"}
    assert {(row["workload"], row["side"]) for row in rows} == {
        (workload, side) for workload in workloads for side in ("plain", "flytekit", "flytenb")
    }
    assert all(row["ratio_to_flytekit"] > 0 for row in rows if row["side"] == "flytenb")
