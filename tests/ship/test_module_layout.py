"""The layout of an exported module is that of ruff and PEP 8, if its cells have it."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

import flytenb
from flytenb.ship.module_text import Imported, import_block
from tests.ship.notebooks import open_notebook
from tests.ship.ruff import complaints

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"  # event loops and directories that IPython and flytekit leave
)

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.md"))
MODULES = {
    1: ["os", "os.path", "sys", "xml.dom", "json", "collections.abc"],
    2: ["flytekit", "flytekit.types.file", "PIL.Image", "a10", "a2", "Zope", "_pytest", "a_b", "aB", "ab"],
}
NAMES = ["task", "Task", "TASK", "A", "a", "x1", "x10", "x2", "_own", "__all__", "Ab", "AB", "aB", "a_rather_long_name"]
CELLS = (
    "import os\nfrom flytekit import workflow, task, LaunchPlan",
    "def one(x):\n    return x\n\ndef two(x):\n    return one(x)\nLIMIT = 3\nclass Box:\n    pass",
    "%%task\ndef _own(x):\n    return two(x)\n\ndef step(x: int) -> int:\n    return _own(x) + len([LIMIT, Box])",
    "# What follows.\n\nif LIMIT:\n    def three(x):\n        return x\n@workflow\ndef wf(x: int) -> int:\n"
    '    return step(x=x)\nplan = LaunchPlan.get_or_create(wf, "p")\nother = LaunchPlan.get_or_create(wf, "q")',
)


def test_imports_are_sorted_as_ruff_sorts_them(tmp_path: Path) -> None:
    for number in range(100):
        chance = random.Random(number)
        chosen = []
        for _ in range(chance.randint(1, 25)):
            section = chance.choice([1, 2])
            module = chance.choice(MODULES[section])
            name = chance.choice(["", *NAMES])
            chosen.append(Imported(section, bool(name), module, name, chance.choice(["", "", "other", "Zed"])))
        (tmp_path / f"imports_{number}.py").write_text(import_block(chosen) + "\n")
    assert complaints(tmp_path, rules="I") == ""


def test_definitions_of_one_cell_have_two_empty_lines_between_them(tmp_path: Path) -> None:
    with open_notebook() as notebook:
        notebook.run(*CELLS)
        made = flytenb.export([notebook.names["plan"], notebook.names["other"]], tmp_path / "pipeline.py")
    assert complaints(tmp_path) == "", made.text


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_module_of_a_tutorial_needs_no_change(notebook: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "flytenb", "export", str(notebook), "-o", str(tmp_path / "pipeline.py")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert complaints(tmp_path) == ""
