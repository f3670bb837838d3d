"""Texts and dotted names in the code of one definition: constants, paths put together from them, what calls call."""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from flytenb.reach.installed_names import home_of
from flytenb.reach.name_lookup import MISSING, is_module, module_name
from flytenb.ship.statement_names import Definition
from flytenb.ship.statements import Statement

_PATHS = ("pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath", "builtins.str", "os.fspath", "posixpath.expanduser")
_SAME = ("expanduser", "absolute", "resolve", "as_posix")
"""Methods of a path that lead to the same file."""


class ConstantTexts:
    """Reads the code of one statement.

    Args:
        statement: a definition, or an assignment of a constant.
        namespace: the notebook's variables.
        bound: the names that cells bind; others are Python's own.
    """

    def __init__(self, statement: Statement, namespace: Mapping[str, Any], bound: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._bound = bound
        self._imports: dict[str, str] = {}
        self._values: dict[str, ast.expr] = {}
        self._stores: Counter[str] = Counter()
        for node in statement.nodes if statement.is_definition else ():
            self._read(node)

    def _read(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            self._imports |= {each.asname or each.name.partition(".")[0]: each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            self._imports |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
        elif isinstance(node, ast.arg):
            self._stores[node.arg] += 1
        elif isinstance(node, Definition):
            self._stores[node.name] += 1
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            self._stores[node.id] += 1
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            self._values[node.targets[0].id] = node.value

    def assigned(self, name: str) -> ast.expr | None:
        """Return what a local variable is set to, None if that isn't known."""
        return self._values.get(name) if self._stores[name] == 1 else None

    # --- texts -------------------------------------------------------------------------------------------------------

    def text(self, node: ast.AST | None) -> str | None:
        """Return the text or path that an expression gives, None if it isn't constant; `~` is the home."""
        if isinstance(node, ast.Constant):
            return node.value if type(node.value) is str else None
        if isinstance(node, ast.Name):
            return self._of_name(node.id)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Add):
            pair = self.text(node.left), self.text(node.right)
            if None in pair:
                return None
            return str(PurePath(*map(str, pair))) if isinstance(node.op, ast.Div) else "".join(map(str, pair))
        if isinstance(node, ast.JoinedStr):
            parts = [self.text(part.value if isinstance(part, ast.FormattedValue) else part) for part in node.values]
            return None if None in parts else "".join(map(str, parts))
        return self._of_call(node) if isinstance(node, ast.Call) else None

    def _of_name(self, name: str) -> str | None:
        if name in self._stores:
            return self.text(self.assigned(name))
        value = self._namespace.get(name, MISSING)
        return str(value) if name in self._bound and isinstance(value, str | PurePath) else None

    def _of_call(self, node: ast.Call) -> str | None:
        dotted = self.dotted(node.func)
        if dotted == "pathlib.Path.home":
            return "~"
        if dotted == "pathlib.Path.cwd":
            return "."
        if isinstance(node.func, ast.Attribute) and node.func.attr in _SAME and not node.args:
            return self.text(node.func.value)
        if node.keywords or not (dotted in _PATHS or dotted == "posixpath.join"):
            return None
        parts = [self.text(argument) for argument in node.args]
        return None if None in parts else str(PurePath(*map(str, parts)))

    # --- names -------------------------------------------------------------------------------------------------------

    def dotted(self, node: ast.AST) -> str:
        """Return the full name of what an expression names, such as `pandas.read_csv`, `""` if it isn't known."""
        attributes: list[str] = []
        while isinstance(node, ast.Attribute):
            attributes.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        root = self._root(node.id)
        return ".".join([root, *reversed(attributes)]).replace("os.path.", "posixpath.") if root else ""

    def _root(self, name: str) -> str:
        if name in self._imports:
            return self._imports[name]
        if name in self._stores:
            return ""
        if name not in self._bound:
            return f"builtins.{name}" if hasattr(builtins, name) else ""
        value = self._namespace.get(name, MISSING)
        if is_module(value):
            return module_name(value)
        home = getattr(value, "__module__", None) or home_of(type(value))
        return f"{home}.{getattr(value, '__qualname__', name)}"
