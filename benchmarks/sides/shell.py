"""Cells in an IPython shell of this process, for what needs no kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cells import CHAIN


def define(load_it: str) -> Callable[[int], Callable[[], Any]]:
    """Time a cell that defines and compiles a chain; the answer is how many nodes it has."""

    def prepare(size: int) -> Callable[[], Any]:
        from IPython.core.interactiveshell import InteractiveShell

        shell = InteractiveShell.instance()
        for cell in (load_it, "import flytekit"):
            shell.run_cell(cell).raise_error()
        text = f"{CHAIN.format(size=size)}\nlen(adds.nodes)"

        def once() -> int:
            done = shell.run_cell(text)
            done.raise_error()
            return int(done.result)

        return once

    return prepare
