"""A chain whose tasks are cells: each side runs it again after edits of the task at nine tenths of its length."""

from __future__ import annotations

import linecache
import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from serving import Measured

TASK = "def t{at}({x}: int) -> int:\n    ran.append({at})\n    return {x} + {term}\n"


class Cells:
    """A module whose cells are run one after another; `ran` lists the tasks whose bodies have run."""

    def __init__(self, before: str) -> None:
        self.module = ModuleType("edited_chain")
        self.module.__file__ = "<cell 0>"
        sys.modules[self.module.__name__] = self.module
        self._count = 0
        self.ran: list[int] = []
        vars(self.module)["ran"] = self.ran
        self.run(before)

    def run(self, source: str) -> None:
        self._count += 1
        file = f"<cell {self._count}>"
        linecache.cache[file] = (len(source), None, source.splitlines(True), file)
        exec(compile(source, file, "exec", dont_inherit=True), vars(self.module))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.module, name)


def resume(
    size: int, before: str, decorator: str, again: Callable[[Cells], Callable[[], int]], x: str = "x"
) -> Callable[[], Any]:
    """Time a run after an edit that gives a new value; the bodies are also counted for two that don't.

    Args:
        size: the number of tasks.
        before: the source of a first cell.
        decorator: the line before a task.
        x: the parameter of a task; `{before}` in it is the number of the task before.
        again: makes the function that runs the chain as it is defined now and returns the last value.
    """
    cells, at = Cells(before), max(1, size * 9 // 10)

    def define(number: int, term: str) -> None:
        name = x.format(before=number - 1)
        cells.run(decorator + TASK.format(at=number, term=term.format(x=name), x=name))

    for number in range(1, size + 1):
        define(number, "1")
    run = again(cells)
    run()
    terms = [1]

    def edit(term: str) -> tuple[float, float, int, int]:
        cells.ran.clear()
        began, worked = time.perf_counter(), time.process_time()
        define(at, term)
        value = run()
        return time.perf_counter() - began, time.process_time() - worked, value, len(cells.ran)

    def once() -> Measured:
        terms.append(terms[-1] + 1)
        seconds, worked, value, bodies = edit(f"{terms[-1]}")
        same, comment = edit(f"{terms[-1]} + 0 * {{x}}"), edit(f"{terms[-1]} + 0 * {{x}}  # {len(terms)}")
        is_right = value == same[2] == comment[2] == size - 1 + terms[-1]
        also = {"cpu_s": worked, "bodies": bodies, "bodies_same": same[3], "bodies_comment": comment[3]}
        return Measured(seconds, is_right, also)

    return once
