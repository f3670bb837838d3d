"""A task as files for its image: what another Python imports is the task, with all of the user's own modules."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flytenb.bridge.execution.image_facts import TaskSource
from flytenb.errors import ExportError
from flytenb.session.host import host
from flytenb.ship.task_source import source_of
from tests.ship.notebooks import Notebook, open_notebook

_MODULES = {
    "shipped_steps.py": "from shipped_tools.numbers import grow\n"
    "from flytekit import task\n"
    "@task\ndef grown(x: int) -> int:\n    return grow(x)\n",
    "shipped_tools/__init__.py": "",
    "shipped_tools/numbers.py": "import shipped_rates\ndef grow(x):\n    return x * shipped_rates.RATE\n",
    "shipped_tools/unused.py": "",
    "shipped_rates.py": "RATE = 3\n",
    "shipped_elsewhere.py": "",
}
_CELLS = """
import numpy
import shipped_steps
from flytekit import task
from shipped_rates import RATE
from shipped_steps import grown

@task
def again(x: int) -> int:
    with open("/dev/null") as file:
        return int(numpy.int64(x)) * RATE + len(file.read())

class Thing:
    pass

@task
def thing(xs: list[Thing]) -> int:
    return 1

shell = get_ipython()

@task
def lost(x: int) -> int:
    return shell.execution_count
"""


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, text in _MODULES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with open_notebook() as notebook:
        notebook.run(_CELLS)
        yield notebook
    for name in [name for name in sys.modules if name.startswith("shipped_")]:
        del sys.modules[name]


def shipped(notebook: Notebook, name: str) -> TaskSource:
    return source_of(notebook.names[name], host.session.cells, host.session.namespace)


def call_elsewhere(source: TaskSource, folder: Path, x: int) -> int:
    """Call the task in another Python, which has nothing but the files."""
    for path, content in source.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    code = f"import {source.module} as made; print(made.{source.variable}(x={x}))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    return int(json.loads(done.stdout))


def test_the_files_are_all_that_another_python_needs(notebook: Notebook, tmp_path: Path) -> None:
    source = shipped(notebook, "again")
    assert {*source.files} == {"flytenb_cells.py", "shipped_rates.py"}
    assert source.packages == {"numpy": "numpy"}
    assert source.versions == {"numpy": sys.modules["numpy"].__version__}
    assert call_elsewhere(source, tmp_path / "there", 2) == 6


def test_a_task_of_a_module_comes_with_what_the_module_uses(notebook: Notebook, tmp_path: Path) -> None:
    source = shipped(notebook, "grown")
    assert (source.module, source.variable) == ("shipped_steps", "grown")
    assert {*source.files} == _MODULES.keys() - {"shipped_elsewhere.py"}
    assert call_elsewhere(source, tmp_path / "there", 2) == 6


def test_pickled_values_are_found_inside_of_lists(notebook: Notebook) -> None:
    assert shipped(notebook, "thing").has_pickles
    assert not shipped(notebook, "again").has_pickles


def test_what_only_the_kernel_has_is_refused(notebook: Notebook) -> None:
    with pytest.raises(ExportError, match="shell is what a magic"):
        shipped(notebook, "lost")
