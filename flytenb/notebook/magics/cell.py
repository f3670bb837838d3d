"""Definition of entities by a `%%task` cell; a cell that fails leaves the notebook unchanged."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator
from types import CodeType
from typing import Any

from flytenb.errors import DefinitionError, UsageError

_DECORATOR = "%%decorator"
"""Not an identifier, so it hides no variable of the user's; it exists only while the cell runs."""


def define(shell: Any, kind: str, line: str, cell: str) -> None:
    """Run a cell with the Flyte decorator outermost on every top-level function with a public name.

    Raises:
        SyntaxError: if the cell can't be parsed.
        UsageError: if the line isn't an argument list.
        Exception: whatever a definition raises; variables that the cell replaced are restored.
    """
    from flytenb import api

    # The magic's own line becomes a comment, so that line numbers stay those of the cell. IPython's transformation
    # drops empty lines at the beginning, which count as well.
    dropped = len(cell) - len(cell.lstrip("\n"))
    source = f"# %%{kind} {line}".rstrip() + "\n" + "\n" * dropped + shell.transform_cell(cell)
    name = shell.compile.cache(source, cell_number(shell), raw_code=source)
    tree = ast.parse(source, name)
    functions = [s for s in tree.body if _is_public_function(s)]
    if not functions:
        raise DefinitionError(
            f"%%{kind} needs a function at the top level of the cell",
            hint="functions whose name starts with an underscore stay functions",
        )
    for function in functions:
        _decorate(function, line, kind)
    ast.fix_missing_locations(tree)
    shown = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    # The flags carry the notebook's own future imports.
    namespace, flags = shell.user_ns, shell.compile.flags
    body = _compile(tree, name, flags, kind)
    names = list(_bound_names(tree))
    with api.defining(kind, namespace, names, [f.name for f in functions]) as namespace[_DECORATOR]:
        try:
            exec(body, namespace)
            if shown is not None:
                exec(compile(ast.Interactive([shown]), name, "single", flags, dont_inherit=True), namespace)
        finally:
            namespace.pop(_DECORATOR, None)
    linecache.checkcache(name)


def _compile(tree: ast.Module, name: str, flags: int, kind: str) -> CodeType:
    try:
        made: CodeType = compile(tree, name, "exec", flags, dont_inherit=True)
    except SyntaxError as e:
        if "await" not in str(e.msg):
            raise
        raise DefinitionError(
            f"line {e.lineno} of this %%{kind} cell awaits at the top level", hint="await in another cell"
        ) from None
    return made


def cell_number(shell: Any) -> int:
    """Return the number of the running cell; `execution_count` is one ahead of it in newer versions of IPython."""
    return len(shell.history_manager.input_hist_raw) - 1


def _is_public_function(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) and not statement.name.startswith("_")


def _decorate(function: Any, line: str, kind: str) -> None:
    """Add the decorator outermost, at the line where the function begins, so that its source stays the same."""
    made: ast.expr = ast.Name(_DECORATOR, ast.Load())
    try:
        call = ast.parse(f"f({line})", mode="eval").body
    except SyntaxError as e:
        raise UsageError(
            f"expected an argument list for @{kind}, got {line!r}: {e.msg}",
            hint=f"%%{kind} retries=2, cache=Cache(version='1')",
        ) from None
    assert isinstance(call, ast.Call)
    if call.args:
        raise UsageError(f"arguments of @{kind} must be given by name, got {ast.unparse(call.args[0])!r}")
    call.func = made
    first = function.decorator_list[0].lineno if function.decorator_list else function.lineno
    for node in ast.walk(call):
        if isinstance(node, ast.expr | ast.keyword):
            node.lineno = node.end_lineno = first
            node.col_offset = node.end_col_offset = 0
    ast.copy_location(made, call)
    function.decorator_list.insert(0, call)


def _bound_names(tree: ast.Module) -> Iterator[str]:
    """Yield the names that the cell may bind at its top level."""
    for node in _outside_functions(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            yield node.id
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield from _outside_functions(child)
