"""A change outside of the code that alters an answer makes another key, or what was read is no longer current.

Each row changes a whole process, so it is tried in one of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.edits import OUTSIDE, PLACES

ROOT = Path(__file__).parents[2]


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[str]]]:
    """What is wrong with each change in each place."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.edit_trial"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])},
        cwd=tmp_path_factory.mktemp("edits"),
        input=json.dumps([OUTSIDE, PLACES]),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, dict[str, list[str]]] = {where: {} for where in PLACES}
    for where, name, wrong in (json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")):
        found[where][name] = wrong
    assert all(rows.keys() == OUTSIDE.keys() for rows in found.values()), done.stderr
    return found


@pytest.mark.parametrize("where", PLACES)
def test_no_change_outside_of_the_code_is_answered_with_the_old_value(
    where: str, shown: dict[str, dict[str, list[str]]]
) -> None:
    assert {name: wrong for name, wrong in shown[where].items() if wrong} == {}
