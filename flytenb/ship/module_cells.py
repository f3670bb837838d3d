"""A module as the cells of a notebook, and these as the text of a notebook file."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from flytenb.reach.syntax_trees import parse
from flytenb.ship.statements import Definition, first_line_of

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


class NewCell(NamedTuple):
    """A cell of a new notebook: its text, and whether it is code or Markdown."""

    text: str
    is_code: bool = True


def cells_of_module(source: str) -> list[NewCell]:
    """Return the cells of a module: its docstring, its imports, each definition, each paragraph of other statements.

    Comments stay with the statement below them, or in the function that they are indented in. Each line of the module
    is in one cell, except empty ones between cells and the quotes of the docstring.

    Raises:
        SyntaxError: if the text isn't a module.
    """
    tree = parse(source)
    lines = re.split(r"\r\n|\r|\n", source)
    text = ast.get_docstring(tree)
    body = tree.body[1:] if text is not None else tree.body
    at = (tree.body[0].end_lineno or 0) if text is not None else 0
    cells = [NewCell(text, is_code=False)] if text else []
    if not body:  # comments only
        rest = "\n".join(lines[at:]).strip()
        return [*cells, NewCell(rest)] if rest else cells
    below: ast.stmt | None
    for statement, below in zip(body, [*body[1:], None], strict=True):
        if below is not None and _belong_together(statement, below, lines):
            continue
        end = len(lines) if below is None else _end_of(statement, below, lines)
        code = "\n".join(lines[at:end]).strip("\n")
        cells.append(NewCell(re.sub(r"\A(?:[ \t]*\n)+", "", code).rstrip()))
        at = end
    return cells


def _end_of(statement: ast.stmt, below: ast.stmt, lines: Sequence[str]) -> int:
    """Return the number of lines up to the end of a statement, with indented comments behind it."""
    end = statement.end_lineno or statement.lineno
    for number in range(end, first_line_of(below) - 1):
        if lines[number].startswith((" ", "\t")) and lines[number].strip():
            end = number + 1
        elif lines[number].strip():
            break
    return end


def _belong_together(statement: ast.stmt, below: ast.stmt, lines: Sequence[str]) -> bool:
    end, start = statement.end_lineno or statement.lineno, first_line_of(below)
    if start <= end:  # they share a line
        return True
    if isinstance(statement, Definition) or isinstance(below, Definition):
        return False
    are_imports = all(isinstance(each, ast.Import | ast.ImportFrom) for each in (statement, below))
    return are_imports or all(line.strip() for line in lines[end : start - 1])


def to_ipynb(cells: Sequence[NewCell]) -> str:
    """Return the text of an `.ipynb` file; equal cells give equal text."""
    made: list[dict[str, Any]] = [
        {"cell_type": "code", "execution_count": None, "id": f"cell-{number}", "metadata": {}, "outputs": []}
        | {"source": cell.text.splitlines(keepends=True)}
        if cell.is_code
        else {"cell_type": "markdown", "id": f"cell-{number}", "metadata": {}}
        | {"source": cell.text.splitlines(keepends=True)}
        for number, cell in enumerate(cells, 1)
    ]
    notebook = {"cells": made, "metadata": {"kernelspec": _KERNEL}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"


def to_myst(cells: Sequence[NewCell]) -> str:
    """Return the text of a MyST Markdown file; equal cells give equal text."""
    parts = [_HEAD]
    for cell in cells:
        ticks = max([3, *(len(found) + 1 for found in re.findall(r"`{3,}", cell.text))])
        fence = "`" * ticks
        parts.append(f"{fence}{{code-cell}} ipython3\n{cell.text}\n{fence}\n" if cell.is_code else f"{cell.text}\n")
    return "\n".join(parts)


NOTEBOOKS = {".ipynb": to_ipynb, ".md": to_myst}
"""The text of a notebook by the suffix of its file."""
