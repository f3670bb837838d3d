"""Definitions that read a constant, or inherit from a class, before the cell ran that gives it its present value.

Defaults, decorators, class bodies and calls that return functions are evaluated when their cell runs. The kernel keeps
what they read then; a module would evaluate them with the present value.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flytenb.reach.name_lookup import MISSING
from flytenb.ship.cells import Cells
from flytenb.ship.constants import is_code
from flytenb.ship.needed_statements import NeededStatements
from flytenb.ship.statements import Statement, read_statements

_DEEPEST = 20
_OF_LITERALS = (
    *(ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.JoinedStr, ast.FormattedValue),
    *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Subscript, ast.Slice, ast.expr_context),
    *(ast.operator, ast.unaryop, ast.boolop, ast.cmpop),
)


class StaleReads:
    """Looks for them in all runs of all cells.

    Args:
        needed: the statements of the module.
        cells: the cells of the notebook.
    """

    def __init__(self, needed: NeededStatements, cells: Cells) -> None:
        self._needed = needed
        self._namespace = needed.namespace
        self._bindings: dict[str, list[tuple[int, Statement]]] = {}
        self._positions: dict[Statement, int] = {}
        for cell in cells.begun:
            for statement in read_statements(cell):
                at = self._positions[statement] = len(self._positions)
                for name in statement.binds:
                    self._bindings.setdefault(name, []).append((at, statement))

    def find(self) -> Iterator[tuple[Statement, str]]:
        """Yield each statement with the name that it read earlier."""
        for statement in sorted(self._needed.statements, key=self._needed.position):
            at = self._positions.get(statement)
            if at is not None and not statement.is_import and self._makes_code(statement):
                for name in sorted(statement.reads - statement.binds):
                    if self._counts(name, statement) and self._has_changed(name, at):
                        yield statement, name

    def _makes_code(self, statement: Statement) -> bool:
        """Whether what it makes isn't compared by value."""
        held = [self._namespace.get(name, MISSING) for name in statement.binds]
        return statement.is_definition or (bool(held) and all(map(is_code, held)))

    def _counts(self, name: str, statement: Statement) -> bool:
        """Whether a name is a constant or a base class: other code is compared, or is meant to be the latest."""
        value = self._namespace.get(name, MISSING)
        if isinstance(statement.tree, ast.ClassDef) and isinstance(value, type):
            return any(isinstance(base, ast.Name) and base.id == name for base in statement.tree.bases)
        return value is not MISSING and not is_code(value)

    def _has_changed(self, name: str, at: int) -> bool:
        before, now = self._last(name, at), self._last(name, len(self._positions))
        return before is not None and now is not None and now[0] > at and not self._is_same(before, now, _DEEPEST)

    def _last(self, name: str, at: int) -> tuple[int, Statement] | None:
        return next((each for each in reversed(self._bindings.get(name, [])) if each[0] < at), None)

    def _is_same(self, before: tuple[int, Statement], now: tuple[int, Statement], depth: int) -> bool:
        """Whether two statements give the same: by their text and what they read, or as literals."""
        if before[1] is now[1]:
            return True
        if ast.dump(before[1].tree) != ast.dump(now[1].tree):
            return _literal(before[1].tree) is not None and _literal(before[1].tree) == _literal(now[1].tree)
        pairs = [(self._last(name, before[0]), self._last(name, now[0])) for name in now[1].reads - now[1].binds]
        found = [(a, b) for a, b in pairs if a is not None and b is not None]
        return depth > 0 and all(self._is_same(a, b, depth - 1) for a, b in found)


def _literal(tree: ast.stmt) -> str | None:
    """Return the value of `name = 60 * 60` as text, with the types of its parts; None if it isn't made of literals."""
    value = getattr(tree, "value", None)
    if not isinstance(tree, ast.Assign | ast.AnnAssign) or value is None:
        return None
    if not all(isinstance(node, _OF_LITERALS) for node in ast.walk(value)):
        return None
    try:
        return repr(eval(compile(ast.Expression(value), "<constant>", "eval"), {"__builtins__": {}}))
    except Exception:
        return None
