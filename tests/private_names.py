"""Private names of a package in source code: attributes of its objects, and imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Use(NamedTuple):
    """One use of a private name: `file:line name`."""

    path: Path
    line: int
    name: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.name}"


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def private_attributes(folder: Path) -> set[str]:
    """The private attributes that the classes and modules of a package have."""
    return {name for path in folder.rglob("*.py") for name in _defined(ast.parse(path.read_text("utf-8")))}


def private_uses(path: Path, package: str, attributes: set[str]) -> Iterator[Use]:
    """Yield the private names of a package that a file uses.

    An attribute counts if the package has one of that name and no class of the file has: `x._nodes`,
    `getattr(x, "_nodes")`, `vars(x)["_nodes"]`, `setattr(x, "_nodes", …)`.
    """
    tree = ast.parse(path.read_text("utf-8"))
    foreign = attributes - set(_defined(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in foreign:
            yield Use(path, node.lineno, node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in foreign:
            yield Use(path, node.lineno, node.value)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == package:
            names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            yield from (Use(path, node.lineno, name) for name in names if is_private(name))
        elif isinstance(node, ast.Import):
            names = [part for a in node.names if a.name.partition(".")[0] == package for part in a.name.split(".")]
            yield from (Use(path, node.lineno, name) for name in names if is_private(name))


def _defined(tree: ast.AST) -> Iterator[str]:
    """The private names that classes define: methods, class attributes, what is assigned to `self` or put in slots."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef):
            for statement in node.body:
                yield from _bound(statement)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_private(node.attr):
            yield from (node.attr for owner in ("self", "cls") if ast.unparse(node.value) == owner)


def _bound(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        found = [statement.name]
    elif isinstance(statement, ast.Assign):
        found = [target.id for target in statement.targets if isinstance(target, ast.Name)]
        slots = [c.value for c in ast.walk(statement.value) if isinstance(c, ast.Constant) and "__slots__" in found]
        found += [slot for slot in slots if isinstance(slot, str)]
    elif isinstance(statement, ast.AnnAssign):
        found = [statement.target.id] if isinstance(statement.target, ast.Name) else []
    else:
        found = []
    yield from filter(is_private, found)
