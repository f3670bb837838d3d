"""A change outside of the code that alters an answer makes another key, or what was read is no longer current.

Each place is a program of its own, whose rows change the whole process.
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


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_no_change_outside_of_the_code_is_answered_with_the_old_value(place: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.edit_trial"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])},
        cwd=tmp_path,
        input=json.dumps([OUTSIDE, place]),
        capture_output=True,
        text=True,
        check=True,
    )
    shown = dict(json.loads(line) for line in done.stdout.splitlines() if line.startswith("["))
    assert shown.keys() == OUTSIDE.keys(), done.stderr
    assert {name: wrong for name, wrong in shown.items() if wrong} == {}
