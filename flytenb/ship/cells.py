"""The cells that a kernel has run, and those of them that the notebook still holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, eq=False)
class CellRun:
    """One run of a cell, which equals itself only.

    Attributes:
        number: its execution number, None for a cell that has none.
        source: its Python code as IPython ran it, without the line of a cell magic.
        kind: `task`, `workflow`, `dynamic` or `eager` for a cell of that magic, the name of another cell magic whose
            body isn't Python code of the notebook, `""` for a plain cell.
        arguments: the line of the magic.
        key: what the front end calls the cell, or its text.
        failed_at: the line of `source` that raised, None if none did. Nothing from there on has run.
        read: what was read from the source, by what has read it, kept as long as the run.
    """

    number: int | None
    source: str
    kind: str = ""
    arguments: str = ""
    key: str = ""
    failed_at: int | None = None
    read: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def place(self) -> str:
        """The cell as a message names it."""
        return "a cell without a number" if self.number is None else f"cell {self.number}"


class Cells:
    """The runs of all cells, in their order."""

    def __init__(self) -> None:
        self._runs: list[CellRun] = []
        self._running: list[CellRun] = []

    def begin(self, cell: CellRun) -> None:
        """Add a run that goes on: what it has defined can be exported in the same cell."""
        self._running.append(cell)

    def add(self, cell: CellRun) -> None:
        """Add the latest run, which has ended, and with it those that began later."""
        texts = [(run.key, run.source) for run in self._running]
        if (cell.key, cell.source) in texts:
            del self._running[texts.index((cell.key, cell.source)) :]
        self._runs.append(cell)

    @property
    def all(self) -> tuple[CellRun, ...]:
        """All runs that have ended, in their order."""
        return tuple(self._runs)

    @property
    def begun(self) -> tuple[CellRun, ...]:
        """All runs, in their order."""
        return (*self._runs, *self._running)

    @property
    def current(self) -> list[CellRun]:
        """The latest run of each cell, in the order of these runs."""
        latest = {cell.key or cell.source: cell for cell in self.begun}
        return [cell for cell in self.begun if latest[cell.key or cell.source] is cell]

    @property
    def in_order(self) -> list[CellRun]:
        """The latest run of each cell, in the order of their first runs: running a cell again doesn't move it."""
        first: dict[str, int] = {}
        for number, cell in enumerate(self.begun):
            first.setdefault(cell.key or cell.source, number)
        return sorted(self.current, key=lambda cell: first[cell.key or cell.source])

    @property
    def replaced(self) -> list[CellRun]:
        """The runs of cells that have run again since."""
        current = {id(cell) for cell in self.current}
        return [cell for cell in self.begun if id(cell) not in current]

    @property
    def last_number(self) -> int:
        """The largest execution number, 0 without any."""
        return max((cell.number or 0 for cell in self._runs), default=0)

    def extend(self, cells: Iterable[CellRun]) -> None:
        """Add several runs."""
        self._runs.extend(cells)
