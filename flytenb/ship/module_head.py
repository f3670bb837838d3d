"""What a module begins with: comments, such as a license, and the docstring, as the first cell with code has them."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import NamedTuple

from flytenb.ship.statements import Statement

_SHELL = "get_ipython()"


class Head(NamedTuple):
    """The beginning of a module.

    Attributes:
        text: the comments and the docstring, `""` without both.
        first: the first statement of the notebook, magics aside, which the comments are above.
        has_docstring: whether this statement is the docstring.
    """

    text: str = ""
    first: Statement | None = None
    has_docstring: bool = False


def read_head(statements: Iterable[Statement]) -> Head:
    """Return the beginning of a notebook.

    Args:
        statements: those of all cells, in the order in which the cells ran first.
    """
    first = next((s for s in statements if not ast.unparse(s.tree).startswith(_SHELL)), None)
    if first is None:
        return Head()
    parts = [first.above, first.text if is_text(first.tree) else ""]
    return Head("\n\n".join(part for part in parts if part), first, is_text(first.tree))


def is_text(tree: ast.stmt) -> bool:
    """Whether a statement consists of a text, as a docstring does."""
    return isinstance(tree, ast.Expr) and isinstance(tree.value, ast.Constant) and type(tree.value.value) is str
