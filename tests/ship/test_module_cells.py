"""A module as cells: nothing of it is lost, and the cells give the module again."""

from __future__ import annotations

from pathlib import Path

import jupytext
import pytest

from flytenb.reach.syntax_trees import parse
from flytenb.ship.module_cells import NOTEBOOKS, cells_of_module

ROOT = Path(__file__).parents[2]
FLOWS = sorted(file for file in (ROOT / "tests" / "flows").glob("*.py") if file.stem != "__init__")
MODULES = [*FLOWS, *sorted((ROOT / "flytenb" / "ship").glob("*.py"))]

MODULE = '''"""Train a model.

Every day.
"""

from __future__ import annotations
import os  # for paths

from flytekit import task

# Settings
LIMIT = 3; FACTOR = 2
WIDTH = 4
"""How wide."""

# Alone.

NAMES = [
    "a",

    "b",
]
@task
def step(x: int) -> int:
    """Do it."""
    return x + LIMIT
    # the end of the function

# Adds.
def add(x):
    return x
if __name__ == "__main__":
    print(add(1))
# Behind everything.
'''
CELLS = [
    '"""Train a model.\n\nEvery day.\n"""\n\n'
    "from __future__ import annotations\nimport os  # for paths\n\nfrom flytekit import task",
    '# Settings\nLIMIT = 3; FACTOR = 2\nWIDTH = 4\n"""How wide."""',
    '# Alone.\n\nNAMES = [\n    "a",\n\n    "b",\n]',
    '@task\ndef step(x: int) -> int:\n    """Do it."""\n    return x + LIMIT\n    # the end of the function',
    "# Adds.\ndef add(x):\n    return x",
    'if __name__ == "__main__":\n    print(add(1))\n# Behind everything.',
]


def test_a_module_has_a_cell_for_each_definition_and_paragraph() -> None:
    assert cells_of_module(MODULE) == CELLS


@pytest.mark.sampled(7)
@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.stem)
def test_the_cells_have_every_line_of_the_module_in_its_order(file: Path) -> None:
    source = file.read_text()
    cells = cells_of_module(source)
    made = [line for cell in cells for line in cell.splitlines()]
    assert [line for line in made if line.strip()] == [line.rstrip() for line in source.splitlines() if line.strip()]
    assert all(parse(cell).body for cell in cells)


@pytest.mark.parametrize("suffix", NOTEBOOKS)
@pytest.mark.parametrize("file", FLOWS[::7], ids=lambda file: file.stem)
def test_jupytext_reads_the_same_cells(suffix: str, file: Path) -> None:
    cells = [*cells_of_module(file.read_text()), 'TEXT = """\n```\n%%bash\n"""']
    read = jupytext.reads(NOTEBOOKS[suffix](cells), fmt=suffix)
    assert [(c.source, c.cell_type) for c in read.cells] == [(cell, "code") for cell in cells]


@pytest.mark.parametrize("source", ["", "\n\n", "# only a comment\n", '"""Only a docstring."""\n', "x = 1"])
def test_modules_without_much_are_read(source: str) -> None:
    assert "\n".join(cells_of_module(source)) == source.strip()
