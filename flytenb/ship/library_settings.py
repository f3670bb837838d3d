"""Statements of cells that set what a library reads everywhere: seeds, rcParams of matplotlib, options of pandas."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from flytenb.reach.installed_names import home_of, names_of
from flytenb.reach.name_lookup import MISSING, is_module, module_name
from flytenb.reach.state_kinds import KINDS
from flytenb.ship.finding import Finding
from flytenb.ship.needed_statements import NeededStatements
from flytenb.ship.statements import Statement

_KINDS = (
    *("random", "numpy.random", "torch seed", "numpy settings", "pandas options", "polars options"),
    *("warnings", "locale", "interpreter", "registries", "socket timeout"),
)
_SETTERS = frozenset(
    [name for kind in _KINDS for name in (*KINDS[kind].writes, *KINDS[kind].objects) if not name.endswith(".")]
    + ["decimal.getcontext", "decimal.setcontext", "logging.basicConfig", "logging.disable"]
    + ["matplotlib.rcParams", "matplotlib.rc", "matplotlib.style.use", "matplotlib.pyplot.rcParams"]
    + ["matplotlib.pyplot.rc", "matplotlib.pyplot.style.use", "torch.set_default_dtype", "torch.set_num_threads"]
    + [f"seaborn.{name}" for name in ("set", "set_theme", "set_style", "set_palette", "set_context")]
)
"""Where the backend of a figure or the working directory is set belongs to the notebook."""
_PLAIN = (bool, int, float, str, bytes, tuple, type(None))


def settings_for(needed: NeededStatements) -> Iterator[Statement | Finding]:
    """Yield the statements that set something for the needed ones, or why one can't be part of the module."""
    packages = {_package(needed.namespace.get(name)) for name in needed.names} - {""}
    for statement in needed.program:
        name, root = _set_by(statement.tree, needed.namespace)
        if statement not in needed.statements and name and _package(needed.namespace[root]) in packages:
            others = sorted(statement.reads - needed.names.keys())
            bad = next((read for read in others if not _is_constant(read, needed)), None)
            if bad is None:
                yield statement
            else:
                what = f"{name} is set in this cell and not in the module, since that needs {bad}"
                where = f"{statement.cell.place}, line {statement.tree.lineno}"
                yield Finding(what, where, "set it to a constant, or in the tasks that read it", "warning")


def _set_by(tree: ast.stmt, namespace: Mapping[str, Any]) -> tuple[str, str]:
    """Return the dotted name of what a statement sets and the variable that it begins with, empty for other ones."""
    part: Any = None
    if isinstance(tree, ast.Expr) and isinstance(tree.value, ast.Call):
        part = tree.value.func
    elif isinstance(tree, ast.Assign | ast.AugAssign):
        part = tree.targets[0] if isinstance(tree, ast.Assign) else tree.target
    attributes: list[str] = []
    while isinstance(part, ast.Attribute | ast.Subscript | ast.Call):
        attributes += [part.attr] if isinstance(part, ast.Attribute) else []
        part = part.func if isinstance(part, ast.Call) else part.value
    if not isinstance(part, ast.Name) or isinstance(getattr(tree, "targets", [None])[0], ast.Name):
        return "", ""
    value = namespace.get(part.id, MISSING)
    homes = [module_name(value)] if is_module(value) else names_of(value) if value is not MISSING else []
    for home in homes:
        dotted = [".".join([home, *attributes[::-1][:length]]) for length in range(len(attributes) + 1)]
        if (found := next((name for name in dotted if name in _SETTERS), None)) is not None:
            return found, part.id
    return "", ""


def _package(value: Any) -> str:
    """Return the top-level package of a module, function, class or object, `""` for those of the notebook."""
    home = module_name(value) if is_module(value) else getattr(value, "__module__", None) or home_of(type(value))
    return "" if home == "__main__" else str(home).partition(".")[0]


def _is_constant(name: str, needed: NeededStatements) -> bool:
    """Whether a name is imported, or holds a plain value, or is one of Python's."""
    binding = needed.binding(name)
    return not binding or binding[-1].is_import or isinstance(needed.namespace.get(name), _PLAIN)
