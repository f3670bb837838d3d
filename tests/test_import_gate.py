"""Imports of flytekit in a cell while it is being imported in the background."""

from __future__ import annotations

import builtins
import threading

import pytest

from flytenb.bridge.import_gate import ImportGate
from tests.kernel import Kernel


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


def test_who_imports_a_part_of_it_waits_and_what_it_imports_itself_does_not() -> None:
    before, go, seen = builtins.__import__, threading.Event(), []
    background = threading.Thread(target=lambda: go.wait(30) and seen.append("background"), daemon=True)
    gate = ImportGate(background)
    try:
        background.start()
        exec("import json.decoder, flytekit", {"__name__": "__main__"})
        exec("import flytekit.core.base_task", {"__name__": "flytekit.core.task"})

        def cell() -> None:
            exec("import flytekit.core.base_task", {"__name__": "__main__"})
            seen.append("cell")

        person = threading.Thread(target=cell, daemon=True)
        person.start()
        person.join(0.1)
        assert seen == []
        go.set()
        person.join(30)
        assert seen == ["background", "cell"]
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
