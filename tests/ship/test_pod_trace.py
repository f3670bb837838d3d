"""Lines of the exported module, found again in the cells. The oracle is the traceback of the same code run here."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import flytenb
from flytenb.notebook.failures.error_cards import cell_names
from flytenb.ship.pod_trace import name_cells
from tests.ship.notebooks import Notebook, imported, open_notebook

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

IMPORTS = "import os\nfrom flytekit import task, workflow\nprint(os.name)"
SITUATIONS = {
    "a task": ["@task\ndef fails(x: int) -> int:\n    return 11 // x"],
    "below other statements": ["# one\nK = 3\n\n@task\ndef fails(x: int) -> int:\n    return 12 // x"],
    "a cell magic": ["%%task cache=False\ndef fails(x: int) -> int:\n    y = x\n    return 13 // y"],
    "a cell magic above empty lines": ["%%task\n\n\ndef fails(x: int) -> int:\n    return 14 // x"],
    "a helper of another cell": [
        "# one\ndef divide(x):\n    if x:\n        return x\n    return 15 // x",
        "@task\ndef fails(x: int) -> int:\n    return divide(x)",
    ],
    "a method": [
        "class Box:\n    def __init__(self, x):\n        self.x = x\n\n    def half(self):\n        return 1 // self.x",
        "@task\ndef fails(x: int) -> int:\n    return Box(x).half()",
    ],
    "the same line in another function": [
        "def other(x):\n    return 16 // x",
        "@task\ndef fails(x: int) -> int:\n    return 16 // x",
        "def fails_not(x):\n    return 16 // x",
    ],
    "the same line below the function": [
        "@task\ndef fails(x: int) -> int:\n    return 17 // x\n\ndef later(x):\n    return 17 // x",
    ],
    "another definition before": [
        "@task\ndef fails(x: int) -> int:\n    return 2 // x",
        "@task\ndef fails(x: int) -> int:\n    return 18 // x",
    ],
}


@pytest.fixture(scope="module")
def notebook() -> Iterator[Notebook]:
    with open_notebook() as opened:
        opened.run(IMPORTS)
        yield opened


def trace_in_module(notebook: Notebook, folder: Path) -> str:
    """Return the traceback of the task in a process that has the module and not the cells, as a pod writes it."""
    with imported(flytenb.export(notebook.names["fails"]).text, folder) as module:
        return trace_of(module.fails.task_function)


def trace_of(function: Callable[..., Any]) -> str:
    with pytest.raises(ZeroDivisionError) as caught:
        function(0)
    return "".join(traceback.format_exception(caught.value))


@pytest.mark.sampled(3)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_line_of_the_module_is_that_of_the_cell(situation: str, notebook: Notebook, tmp_path: Path) -> None:
    notebook.run(*SITUATIONS[situation])
    names = cell_names(notebook.shell)
    with pytest.raises(ZeroDivisionError) as caught:
        notebook.names["fails"].task_function(0)
    frames = traceback.extract_tb(caught.value.__traceback__)
    expected = [(names(f.filename), f.lineno, f.name) for f in frames if names(f.filename)]
    assert expected
    found = re.findall(r'File "(.+)", line (\d+), in (\w+)', name_cells(trace_in_module(notebook, tmp_path)))
    assert [(names(file), int(line), name) for file, line, name in found if names(file)] == expected


def test_equal_lines_of_a_function_are_lines_of_the_module(notebook: Notebook, tmp_path: Path) -> None:
    notebook.run("@task\ndef fails(x: int) -> int:\n    x = 19 // x\n    x = 19 // x\n    return x")
    found = name_cells(trace_in_module(notebook, tmp_path))
    assert re.search(r'File "exported_\d+\.py", line \d+, in fails', found)
    assert str(tmp_path) not in found


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("trace", "expected"),
    [
        ('  File "/usr/lib/python3/dist-packages/fails.py", line 7, in fails\n    return 1 // x', None),
        ('  File "/app/other.py", line 7, in nowhere\n    return 1 // x', "other.py"),
        ("ValueError: no file", None),
        ("", None),
    ],
)
def test_what_no_cell_has_is_a_line_of_its_module(trace: str, expected: str | None) -> None:
    assert name_cells(trace) == (trace if expected is None else trace.replace("/app/other.py", expected))
