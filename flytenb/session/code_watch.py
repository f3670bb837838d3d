"""The code of a notebook's entities when they last ran, and in words what has changed since."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flytenb.ship.statements import read_statements
from flytenb.wording.text import clean

if TYPE_CHECKING:
    from flytenb.display.code_card import Code, CodeChange
    from flytenb.model import Graph, Node
    from flytenb.reach.code_parts import Key, PartsReader
    from flytenb.runner.run import Run
    from flytenb.ship.cells import Cells

_NAMED = 2
"""Number of changes that are named; the others are counted."""
_REDEFINED = " was redefined in cell "
_NOT_CODE = {"variable": "environment variable", "file": "file"}
_STATE = ("constant", *_NOT_CODE)
"""The kinds of parts that a run may change too."""


@dataclass(frozen=True)
class _Compared:
    """The code of an entity when it last ran, and now.

    Attributes:
        entity: what was run.
        before: its code then.
        after: its code now.
        cell: the number of the latest cell before that run.
    """

    entity: Any
    before: Code
    after: Code
    cell: int

    @property
    def keys(self) -> set[Key]:
        """The kinds and names of all parts."""
        return {(part.kind, part.name) for part in (*self.before.parts, *self.after.parts)}

    def changes(self, key: Key | None) -> list[CodeChange]:
        """Return what has changed, if a key is given of what that part reaches; parts come and go with changed ones."""
        found = _edits(self.before, self.after)
        if key is not None:
            reached = self.before.reached_from(key) | self.after.reached_from(key)
            found = [c for c in found if (c.kind, c.name) in reached]
        return [c for c in found if c.verb == "changed"] or found


class CodeWatch:
    """Reads the code of entities, again only where something has changed, and compares it with that of earlier runs.

    Args:
        cells: the cells that were run.
    """

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._readings: dict[int, tuple[Any, PartsReader, Code]] = {}
        self._noted: weakref.WeakKeyDictionary[Run, int] = weakref.WeakKeyDictionary()
        self._bound: dict[str, int] = {}
        self._changed: dict[str, int] = {}
        self._cells_read = 0

    def now(self, entity: Any) -> Code:
        """Return the code of an entity as it is now.

        Raises:
            Exception: what an object that the code reaches raises while it is read.
        """
        from flytenb.bridge.entities.interface import short_name
        from flytenb.display.code_card import Code
        from flytenb.reach.code_parts import PartsReader

        found = self._readings.get(id(entity))
        if found is None or not found[1].is_current():
            reader = PartsReader(entity)
            found = self._readings[id(entity)] = entity, reader, Code.read_by(reader, short_name(entity))
        return found[2]

    def note(self, run: Run) -> None:
        """Keep the code of a run that starts now; what can't be read is never compared."""
        try:
            run._code = self.now(run.entity)
        except Exception:
            return
        self._noted[run] = self._cells.last_number

    def forget(self, entities: Iterable[Any]) -> None:
        """Forget what was read of other entities than these, and what has changed: it holds the objects of then."""
        kept = set(map(id, entities))
        readings = list(self._readings.items())  # a run that starts on another thread may add one
        self._readings = {at: found for at, found in readings if at in kept and found[1].is_current()}

    def is_edited(self, before: Code, after: Code, still: Code | None, cell: int) -> bool:
        """Tell whether an edit, and not a run, has changed the code.

        Args:
            before: the code after the previous cell.
            after: the code now.
            still: an earlier reading since which no run was on; None if there is none.
            cell: the number of the previous cell: a constant that a later one binds or changes was edited.
        """
        if before.digest == after.digest and still is None:
            return False
        return any(
            change.kind not in _STATE
            or (change.kind == "constant" and self._cell_that_changes(change.name.partition(".")[0]) > cell)
            for change in _edits(before, after)
        ) or (still is not None and any(change.kind in _STATE for change in _edits(still, after)))

    def stale_text(self, entity: Any, runs: Iterable[Run], redefined: Mapping[str, bool]) -> str:
        """Return what was redefined of what an entity reaches since its last run, or since it was compiled.

        Args:
            entity: the entity.
            runs: the runs of the session, oldest first.
            redefined: the names that were redefined since it was compiled, and whether they still exist.

        Returns:
            Words such as ``"`scale` was redefined in cell 12"``; empty if nothing has changed.
        """
        from flytenb.reach.code_parts import key_of

        key = key_of(entity)
        compared = self._compared(entity, key, list(runs))
        changes = [] if compared is None else compared.changes(None if compared.entity is entity else key)
        words = [self._words(c, compared) for c in changes if c.name.partition(".")[0] != key[1]]  # type: ignore[arg-type]
        words += [self._redefined(name, 0) if exists else f"`{name}` was deleted" for name, exists in redefined.items()]
        return _joined(words)

    def marked(self, graph: Graph, entity: Any, runs: Iterable[Run]) -> Graph:
        """Return a graph with the setting `stale` on itself and on each node that reaches what has changed.

        Args:
            graph: the graph of the entity.
            entity: the entity.
            runs: the runs of which the latest one of the entity is compared.
        """
        from flytenb.reach.code_parts import key_of

        compared = self._compared(entity, key_of(entity), list(runs))
        changes = [] if compared is None else compared.changes(None)
        if compared is None or not changes:
            return graph
        keys = {key[1].rpartition(".")[2]: key for key in compared.keys if key[0] in ("task", "workflow")}
        said = {name: _joined(self._words(c, compared) for c in compared.changes(key)) for name, key in keys.items()}
        nodes = {
            path: replace(node, settings={**node.settings, "stale": said[name]})
            for path, node in graph.nodes.items()
            if not node.is_pseudo and said.get(name := _name_of(node))
        }
        whole = _joined(self._words(c, compared) for c in changes)
        return replace(graph, nodes={**graph.nodes, **nodes}, settings={**graph.settings, "stale": whole})

    def _compared(self, entity: Any, key: Key, runs: list[Run]) -> _Compared | None:
        """Return the code when an entity last ran and now; None if it hasn't run or nothing has changed.

        A run in which no node succeeded has nothing that could be out of date.
        """
        from flytenb.display.code_card import Code

        for run in reversed(runs):
            before = run._code
            if not isinstance(before, Code) or not before.has(key) or not _has_outputs(run):
                continue
            is_read = run.entity is entity or id(run.entity) in self._readings
            try:
                after = self.now(run.entity if is_read else entity)
            except Exception:
                return None
            is_same = before.digest == after.digest
            return None if is_same else _Compared(run.entity, before, after, self._noted.get(run, 0))
        return None

    def _words(self, change: CodeChange, compared: _Compared) -> str:
        cell = compared.cell
        if change.kind in _NOT_CODE:
            return f"{_NOT_CODE[change.kind]} {change.name} has changed"
        if change.verb != "changed":
            return f"`{change.name}` was {change.verb}"
        number = change.place.removeprefix("cell ").partition(",")[0]
        if number.isdigit() and int(number) > cell:
            return f"`{change.name.partition('.')[0]}`{_REDEFINED}{number}"
        if ".py" in change.place:
            return f"`{change.name}` has changed in {change.place.partition(':')[0]}"
        return self._redefined(change.name.partition(".")[0], cell)

    def _redefined(self, name: str, cell: int) -> str:
        number = self._cell_that_binds(name)
        return f"`{name}`{_REDEFINED}{number}" if number > cell else f"`{name}` has changed"

    def has_new(self, cell: int) -> bool:
        """Tell whether a cell after the one with this number binds a name or changes an object."""
        self._read_cells()
        return max((*self._bound.values(), *self._changed.values()), default=0) > cell

    def _cell_that_binds(self, name: str) -> int:
        """Return the number of the latest cell that binds a name, 0 if none does."""
        self._read_cells()
        return self._bound.get(name, 0)

    def _cell_that_changes(self, name: str) -> int:
        """Return the number of the latest cell that binds a name or changes its object, 0 if none does."""
        return max(self._cell_that_binds(name), self._changed.get(name, 0))

    def _read_cells(self) -> None:
        """Note what the cells bind and change that have been run since the last call."""
        for run in self._cells.all[self._cells_read :]:
            for statement in read_statements(run):
                self._bound.update((bound, run.number or 0) for bound in statement.binds)
                self._changed.update((changed, run.number or 0) for changed, _ in statement.changes)
        self._cells_read = len(self._cells.all)


def _has_outputs(run: Run) -> bool:
    return any(node.phase == "SUCCEEDED" for node in run.nodes.values())


def _edits(before: Code, after: Code) -> list[CodeChange]:
    return [change for change in before.diff(after).changes if change.is_edit]


def _joined(words: Iterable[str]) -> str:
    said = list(dict.fromkeys(words))
    more = [f"{len(said) - _NAMED} more"] if len(said) > _NAMED else []
    first, *others = [*said[:_NAMED], *more] or [""]
    return clean(", ".join([first, *(text.replace(_REDEFINED, " in cell ") for text in others)]))


def _name_of(node: Node) -> str:
    """Return the name of the entity whose code a node runs: of a map, what it maps."""
    return str(node.settings.get("of", node.name)) if node.kind == "map" else node.name
