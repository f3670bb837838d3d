"""Imports of flytekit in a cell while it is being imported in the background."""

from __future__ import annotations

import builtins
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from flytenb.bridge.patches.import_gate import ImportGate
from tests.kernel import Kernel
from tests.waiting import PATIENCE


@pytest.mark.kernel
@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    [
        "from flytekit.core.type_engine import TypeEngine, TypeTransformer",
        "from flytekit.types.file import FlyteFile",
        "from flytekit.models.literals import Literal",
        "from flytenb.display.part import Table",
    ],
)
def test_the_first_cell_may_import_any_part_of_it(line: str) -> None:
    with Kernel() as kernel:
        kernel.run("%load_ext flytenb").ok()
        kernel.run(line).ok()


PLUGIN = """
import threading
threading.Event().wait(0.6)  # as long as it takes the import in the background to come for it
from flytekit.core.task import TaskPlugins
"""


@pytest.mark.kernel
@pytest.mark.slow
@pytest.mark.parametrize("how", ["from plugged import TaskPlugins", "import uses_it\nfrom uses_it import TaskPlugins"])
def test_a_cell_may_import_a_plugin_that_flytekit_itself_imports(how: str, tmp_path: Path) -> None:
    (tmp_path / "plugged.py").write_text(PLUGIN)
    (tmp_path / "uses_it.py").write_text("from plugged import TaskPlugins\n")
    about = tmp_path / "plugged-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: plugged\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[flytekit.plugins]\nplugged = plugged\n")
    with Kernel(flytenb=False) as kernel:
        kernel.run(f"import sys\nsys.path.insert(0, {str(tmp_path)!r})").ok()
        kernel.run("%load_ext flytenb").ok()
        assert kernel.run(f"{how}\nprint(TaskPlugins.__name__)").ok().text == "TaskPlugins\n"


@pytest.mark.parametrize(
    ("line", "caller", "waits"),
    [
        ("import flytekit", "__main__", True),
        ("import flytekit.core.base_task", "__main__", True),
        ("import not_there_yet", "__main__", True),
        ("import json.decoder, pytest", "__main__", False),
        ("import zipapp", "__main__", False),
        ("import flytekit.core.base_task", "flytekit.core.task", False),
        ("import flytekit.core.base_task", "a_plugin", False),
    ],
)
def test_only_what_a_cell_imports_waits_and_of_that_what_may_import_flytekit(
    line: str, caller: str, waits: bool
) -> None:
    before, go, seen = builtins.__import__, threading.Event(), []
    background = threading.Thread(target=lambda: go.wait(PATIENCE) and seen.append("background"), daemon=True)
    gate = ImportGate(background)

    def cell() -> None:
        with suppress(ModuleNotFoundError):
            exec(line, {"__name__": caller})
        seen.append("cell")

    person = threading.Thread(target=cell, daemon=True)
    try:
        background.start()
        person.start()
        person.join(0.1 if waits else PATIENCE)
        assert seen == ([] if waits else ["cell"])
        go.set()
        person.join(PATIENCE)
        background.join(PATIENCE)
        assert seen == (["background", "cell"] if waits else ["cell", "background"])
    finally:
        go.set()
        gate.open()
    assert builtins.__import__ is before


def test_a_gate_that_somebody_else_stands_behind_lets_pass() -> None:
    before = builtins.__import__
    gate = ImportGate(threading.Thread())
    mine = builtins.__import__
    try:
        builtins.__import__ = lambda *args, **rest: mine(*args, **rest)
        gate.open()
        exec("import flytekit.core.base_task", {"__name__": "__main__"})
        assert builtins.__import__ is not before
    finally:
        builtins.__import__ = before
