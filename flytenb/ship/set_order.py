"""Constants that depend on the order of a set, which is another in each process: `list({"a", "b"})`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_is_reversed: ContextVar[bool] = ContextVar("is_reversed", default=False)
_MARK = "__ordered_set__"
_OPERATIONS = (ast.BitOr, ast.BitAnd, ast.Sub, ast.BitXor)


class _OrderedSet(set[Any]):
    def __iter__(self) -> Iterator[Any]:
        return iter([*super().__iter__()][:: -1 if _is_reversed.get() else 1])

    def pop(self) -> Any:
        member = next(iter(self))
        self.remove(member)
        return member


class _OrderedFrozenset(frozenset[Any]):
    def __iter__(self) -> Iterator[Any]:
        return iter([*super().__iter__()][:: -1 if _is_reversed.get() else 1])


@contextmanager
def reversed_sets() -> Iterator[None]:
    """Iterate over the sets that `mark_sets` and `ordered` made in the other direction."""
    token = _is_reversed.set(True)
    try:
        yield
    finally:
        _is_reversed.reset(token)


def makes_set(tree: ast.AST) -> bool:
    """Whether a statement makes a set."""
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return any(isinstance(node, ast.Set | ast.SetComp) for node in ast.walk(tree)) or any(
        isinstance(each, ast.Name) and each.id in ("set", "frozenset") for each in calls
    )


def mark_sets(tree: ast.stmt) -> ast.stmt:
    """Return a statement in which sets can be iterated over in the other direction."""
    marked: ast.stmt = _Marker().visit(ast.parse(ast.unparse(tree)).body[0])
    return ast.fix_missing_locations(marked)


def ordered(value: Any) -> Any:
    """Return a set whose direction can be changed if its order isn't the same in each process, else the value."""
    if type(value) not in (set, frozenset) or len(value) < 2 or all(map(_has_fixed_hash, value)):
        return value
    return _OrderedSet(value) if type(value) is set else _OrderedFrozenset(value)


SCOPE = {_MARK: ordered}
"""The names that a marked statement reads."""


class _Marker(ast.NodeTransformer):
    """Wraps what may be a set."""

    def visit_Set(self, node: ast.Set) -> ast.AST:
        return self._wrap(node)

    def visit_SetComp(self, node: ast.SetComp) -> ast.AST:
        return self._wrap(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        return self._wrap(node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        return self._wrap(node) if isinstance(node.op, _OPERATIONS) else self.generic_visit(node)

    def _wrap(self, node: ast.expr) -> ast.AST:
        self.generic_visit(node)
        return ast.Call(ast.Name(_MARK, ast.Load()), [node], [])


def _has_fixed_hash(member: Any) -> bool:
    return isinstance(member, int | float | complex) or (type(member) is tuple and all(map(_has_fixed_hash, member)))
