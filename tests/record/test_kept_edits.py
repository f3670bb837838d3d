"""After every edit of what a task reaches, a new kernel that resumes a kept run gives what the plain function gives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.edits import CONSTRUCTS, ONCE, SAME

ROOT = Path(__file__).parents[2]
EDITS = {name: source for name, source in CONSTRUCTS.items() if name not in ONCE}
PARTS = 8
"""The rows are tried in so many parts, which processes of tests may share."""


def tried(step: str, rows: Mapping[str, str], folder: Path, seed: str) -> dict[str, Any]:
    """Do one step of each row in an interpreter of its own; return what it found."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.kept_edit_trial"],
        input=json.dumps([step, rows]),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed, "FLYTENB_EDIT": "", "FLYTENB_SET": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(line) for line in done.stdout.splitlines() if line.startswith("["))


def part_of(rows: Mapping[str, Any], part: int) -> dict[str, Any]:
    return {name: row for number, (name, row) in enumerate(rows.items()) if number % PARTS == part}


@pytest.mark.slow  # starts two interpreters, and two processes for each row
@pytest.mark.parametrize("part", range(PARTS))
def test_no_edit_is_answered_with_the_kept_value_of_another_kernel(part: int, tmp_path: Path) -> None:
    rows = part_of(EDITS, part)
    kept = tried("keep", {name: source.format(k=2) for name, source in rows.items()}, tmp_path, "1")
    assert kept.keys() == rows.keys()
    assert sum(found is True for found in kept.values()) > 0.9 * len(rows), kept
    found = tried(
        "resume", {name: source.format(k=3) for name, source in rows.items() if kept[name] is True}, tmp_path, "2"
    )
    assert {name: each for name, each in found.items() if isinstance(each, str)} == {}
    stale = {name: each for name, each in found.items() if each[0] and each[1] != each[2]}
    assert stale == {}
    assert len(found) == sum(each is True for each in kept.values())


@pytest.mark.slow  # as above
def test_another_kernel_runs_nothing_if_nothing_has_changed(tmp_path: Path) -> None:
    assert set(tried("keep", {name: cells[0] for name, cells in SAME.items()}, tmp_path, "1").values()) == {True}
    found = tried("resume", {name: cells[-1] for name, cells in SAME.items()}, tmp_path, "2")
    assert {name: each for name, each in found.items() if isinstance(each, str)} == {}
    assert {name: each for name, each in found.items() if each[0] and each[1] != each[2]} == {}
    # A program gets the environment, which differs by the seed.
    assert {name: each[3] for name, each in found.items() if not each[0] and name != "a program"} == {}
