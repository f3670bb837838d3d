"""A module as the cells of a notebook, and these as the text of a notebook file."""

from __future__ import annotations

import ast
import io
import itertools
import json
import re
import tokenize
from collections.abc import Sequence
from typing import Any

from flytenb.reach.syntax_trees import parse
from flytenb.ship.module_head import is_text
from flytenb.ship.needed_statements import fills_name
from flytenb.ship.statement_names import Definition
from flytenb.ship.statements import end_of_comments, first_line_of

_LINE_END = re.compile(r"\r\n|\r|\n")
_ENCODING = re.compile(r"[ \t\f]*#.*?coding[:=][ \t]*[-\w.]+")
"""PEP 263."""
_PROMPTED = re.compile(r"[^\n]*\n(?:>>>|\.\.\.|In \[\d+\]:|\s*\.\.\.+:)")
"""What IPython takes for a prompt in the second line of a cell."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f]+")
_RELATIVE = re.compile(rb"from\s*(?:\.\s*)+(?:(?!import\b)[\w.]+\s*)?")
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
_HEAD = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---
"""


def read_module(data: bytes) -> str:
    """Return the text of a module's file, without the comment that declares its encoding, and with plain line ends.

    Raises:
        SyntaxError: for an unknown encoding.
        UnicodeDecodeError: if it doesn't have its encoding.
    """
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    lines = _LINE_END.split(data.decode(encoding))
    return "\n".join(line for at, line in enumerate(lines) if at > 1 or not _ENCODING.match(line))


def cells_of_module(source: str, package: str = "") -> list[str]:
    """Return the cells of a module: its docstring and imports, each definition, each paragraph of other statements.

    Comments stay with the statement below them, or in the function that they are indented in. Statements that fill what
    another one has begun are in one cell with it, since a cell that does so can't be run twice. Each line of the module
    is in one cell, except empty ones between cells.

    Args:
        source: the text of the module.
        package: the package that it is in: what it imports from there is named in full, since a notebook is in none.

    Raises:
        SyntaxError: if the text isn't a module.
    """
    source = _with_full_names(source, package) if package else source
    body = parse(source).body
    lines = _LINE_END.split(source)
    if not body:  # comments only
        return [source.strip()] if source.strip() else []
    ends = _joined([(at, at + 1) for at in range(len(body) - 1) if _belong_together(body, at, lines)] + _fills(body))
    cells: list[str] = []
    at = 0
    for number, statement in enumerate(body):
        if number + 1 in ends:
            continue
        below = body[number + 1] if number + 1 < len(body) else None
        end = len(lines) if below is None else end_of_comments(lines, statement, below)
        cells.append(_as_cell("\n".join(lines[at:end])))
        at = end
    return cells


def _as_cell(code: str) -> str:
    """Return code without empty lines around it, in which IPython changes no text.

    IPython takes what looks like a prompt for one, in the second line and in texts that aren't docstrings, and empties
    lines of spaces.
    """
    text = re.sub(r"\A(?:[ \t]*\n)+", "", code.strip("\n")).rstrip()
    tree = parse(text)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inside = {n for node in _texts(tree) if id(node) not in docstrings for n in range(node.lineno, _end(node))}
    text = _unless_changed(text, [_escaped(line) if at in inside else line for at, line in enumerate(text.split("\n"))])
    return f"#\n{text}" if _PROMPTED.match(text) else text


def _without_controls(text: str) -> str:
    """Return code without control characters, which MyST Markdown can't hold."""
    if not _CONTROL.search(text):
        return text
    held = {number for node in _texts(parse(text)) for number in range(node.lineno - 1, _end(node))}
    lines = text.split("\n")
    return _unless_changed(text, [_CONTROL.sub(_escape if at in held else "", line) for at, line in enumerate(lines)])


def _texts(tree: ast.AST) -> list[ast.expr]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Constant | ast.JoinedStr)]


def _end(node: ast.expr) -> int:
    return node.end_lineno or node.lineno


def _unless_changed(text: str, lines: Sequence[str]) -> str:
    """Return changed lines if they are the same code, which they aren't in a raw text; else the text."""
    made = "\n".join(lines)
    return made if made != text and _dumped(made) == _dumped(text) else text


def _escape(found: re.Match[str]) -> str:
    return "".join(f"\\x{ord(letter):02x}" for letter in found.group())


def _escaped(line: str) -> str:
    """Return a line of a text with escapes for what IPython would change."""
    if line and not line.strip(" \t"):
        return line[:-1] + ("\\t" if line[-1] == "\t" else "\\x20")
    return re.sub(r"^([ \t]*)>>>", r"\1\\x3e>>", line)


def _dumped(code: str) -> str:
    try:
        return ast.dump(parse(code))
    except SyntaxError:
        return ""


def _with_full_names(source: str, package: str) -> str:
    """Return a module whose relative imports name their package."""
    lines = source.encode().splitlines(keepends=True)
    offsets = [0, *itertools.accumulate(map(len, lines))]
    data = source.encode()
    relative = [n for n in ast.walk(parse(source)) if isinstance(n, ast.ImportFrom) and n.level]
    for node in sorted(relative, key=lambda n: (n.lineno, n.col_offset), reverse=True):
        start = offsets[node.lineno - 1] + node.col_offset
        parts = package.split(".")[: len(package.split(".")) - node.level + 1]
        name = ".".join([*parts, *([node.module] if node.module else [])]).encode()
        if parts:
            found = _RELATIVE.match(data, start)
            data = data if found is None else b"from ".join([data[:start], name + b" " + data[found.end() :]])
    return data.decode()


def _joined(pairs: Sequence[tuple[int, int]]) -> set[int]:
    """Return the numbers of the statements that are in one cell with the one before."""
    return {number for first, last in pairs for number in range(first + 1, last + 1)}


def _fills(body: Sequence[ast.stmt]) -> list[tuple[int, int]]:
    """Return the numbers of assignments, each with that of the last statement that fills what it has begun."""
    found = []
    for first, statement in enumerate(body):
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            later = [at for at in range(first + 1, len(body)) if _may_fill(body[at])]
            filling = [at for at in later if any(fills_name(body[at], name) for name in names)]
            found += [(first, at) for at in filling[-1:]]
    return found


def _may_fill(statement: ast.stmt) -> bool:
    """Whether a statement acts when the module is imported."""
    is_main = isinstance(statement, ast.If) and any(
        isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(statement.test)
    )
    return not is_main and not isinstance(statement, Definition)


def _belong_together(body: Sequence[ast.stmt], at: int, lines: Sequence[str]) -> bool:
    """Whether a statement and the next one are in one cell by their kind and place."""
    statement, below = body[at], body[at + 1]
    end, start = statement.end_lineno or statement.lineno, first_line_of(below)
    if start <= end:  # they share a line
        return True
    if isinstance(statement, Definition) or isinstance(below, Definition):
        return False
    is_docstring = at == 0 and is_text(statement)
    are_imports = all(
        isinstance(each, ast.Import | ast.ImportFrom) or (is_docstring and each is statement)
        for each in (statement, below)
    )
    return are_imports or all(line.strip() for line in lines[end : start - 1])


def to_ipynb(cells: Sequence[str]) -> str:
    """Return the text of an `.ipynb` file of code cells; equal cells give equal text."""
    made: list[dict[str, Any]] = [
        {"cell_type": "code", "execution_count": None, "id": f"cell-{number}", "metadata": {}, "outputs": []}
        | {"source": cell.splitlines(keepends=True)}
        for number, cell in enumerate(cells, 1)
    ]
    notebook = {"cells": made, "metadata": {"kernelspec": _KERNEL}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"


def to_myst(cells: Sequence[str]) -> str:
    """Return the text of a MyST Markdown file of code cells; equal cells give equal text."""
    parts = [_HEAD]
    for cell in map(_without_controls, cells):
        fence = "`" * max([3, *(len(found) + 1 for found in re.findall(r"`{3,}", cell))])
        parts.append(f"{fence}{{code-cell}} ipython3\n{cell}\n{fence}\n")
    return "\n".join(parts)


NOTEBOOKS = {".ipynb": to_ipynb, ".md": to_myst}
"""The text of a notebook by the suffix of its file."""
