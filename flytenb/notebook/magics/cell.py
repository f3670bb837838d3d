"""A `%%task` cell: its functions become entities, its source stays the cell's, a mistake leaves nothing behind."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator
from types import CodeType
from typing import Any

from flytenb.errors import DefinitionError, UsageError

_DECORATOR = "%%decorator"
"""No identifier, so it can't be anybody's variable; there only while the cell runs."""


def define(shell: Any, kind: str, line: str, cell: str) -> None:
    """Run a cell with the Flyte decorator outermost on every top-level function of a public name.

    Raises:
        SyntaxError: if the cell can't be parsed.
        UsageError: if the line is no argument list.
        Exception: whatever a definition raises; what the cell had replaced is put back.
    """
    from flytenb.bridge.workflow.definition import decorator, rolled_back

    # The magic's own line stays as a comment: line numbers are the cell's, and the source still parses.
    # IPython's transformation drops empty lines at the beginning, which count all the same.
    dropped = len(cell) - len(cell.lstrip("\n"))
    source = f"# %%{kind} {line}".rstrip() + "\n" + "\n" * dropped + shell.transform_cell(cell)
    name = shell.compile.cache(source, cell_number(shell), raw_code=source)
    tree = ast.parse(source, name)
    functions = [s for s in tree.body if _is_public_function(s)]
    if not functions:
        raise DefinitionError(
            f"%%{kind} needs a function at the top level of the cell",
            hint="names that start with an underscore stay plain functions",
        )
    for function in functions:
        _decorate(function, line, kind)
    ast.fix_missing_locations(tree)
    shown = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    # The notebook's own future imports, not those of this file.
    namespace, flags = shell.user_ns, shell.compile.flags
    body = _compile(tree, name, flags, kind)
    with rolled_back(namespace, list(_bound_names(tree)), [f.name for f in functions]):
        namespace[_DECORATOR] = decorator(kind)
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
            f"line {e.lineno} of this %%{kind} cell awaits at the top level", hint="await in a cell of its own"
        ) from None
    return made


def cell_number(shell: Any) -> int:
    """The number of the cell that is running: `execution_count` is one ahead of it in newer versions of IPython."""
    return len(shell.history_manager.input_hist_raw) - 1


def _is_public_function(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) and not statement.name.startswith("_")


def _decorate(function: Any, line: str, kind: str) -> None:
    """Put the decorator outermost, at the place where the function begins, so that its source does too."""
    made: ast.expr = ast.Name(_DECORATOR, ast.Load())
    try:
        call = ast.parse(f"f({line})", mode="eval").body
    except SyntaxError as e:
        raise UsageError(
            f"{line!r} is no argument list for @{kind}: {e.msg}", hint=f"%%{kind} retries=2, cache=Cache(version='1')"
        ) from None
    assert isinstance(call, ast.Call)
    if call.args:
        raise UsageError(f"@{kind} takes its arguments by name, not {ast.unparse(call.args[0])!r}")
    call.func = made
    first = function.decorator_list[0].lineno if function.decorator_list else function.lineno
    for node in ast.walk(call):
        if isinstance(node, ast.expr | ast.keyword):
            node.lineno = node.end_lineno = first
            node.col_offset = node.end_col_offset = 0
    ast.copy_location(made, call)
    function.decorator_list.insert(0, call)


def _bound_names(tree: ast.Module) -> Iterator[str]:
    """The names that running the cell may bind at its top level."""
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
