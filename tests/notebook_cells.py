"""A notebook of a test, whose cells define entities: flytekit reads their source, and each cell can be run again."""

from __future__ import annotations

import linecache
import sys
from types import ModuleType
from typing import Any

PRELUDE = """
import asyncio
from dataclasses import dataclass
from flytekit import approve, conditional, dynamic, eager, map_task, sleep, task, wait_for_input, workflow
from flytekit.core.node_creation import create_node
ran = []
def note(name): ran.append(name)
"""


class NotebookCells:
    """A module whose cells are run one after another. A task that calls `note(name)` is listed by `ran`.

    Args:
        name: the name of the module; it stays in `sys.modules` until the test removes it.
    """

    def __init__(self, name: str = "notebook_of_cells") -> None:
        self.module = ModuleType(name)
        self.module.__file__ = f"<{name}>"
        sys.modules[name] = self.module
        self._count = 0
        self.run(PRELUDE)

    def run(self, *cells: str) -> None:
        """Run cells."""
        for source in cells:
            self._count += 1
            file = f"<{self.module.__name__} {self._count}>"
            linecache.cache[file] = (len(source), None, source.splitlines(True), file)
            exec(compile(source, file, "exec", dont_inherit=True), vars(self.module))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.module, name)

    def take_ran(self) -> list[str]:
        """Return what has run since the last call, in the order of names."""
        found = sorted(self.module.ran)
        self.module.ran.clear()
        return found
