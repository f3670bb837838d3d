"""The traceback of a pod with the lines of the notebook's cells, in place of those of the module made from them."""

from __future__ import annotations

import ast
import linecache
import re
from pathlib import PurePosixPath

from flytenb.errors import is_library
from flytenb.reach.syntax_trees import parse

_FRAME = re.compile(r'^  File "(?P<file>.+)", line (?P<line>\d+), in (?P<name>.+)\n    (?P<code>.+)$', flags=re.M)


def name_cells(trace: str) -> str:
    """Return a traceback in which frames of an exported module are frames of the cells with the same code.

    A frame whose code is in no cell, or in several lines of the function, names the module without its folder.
    """
    return _FRAME.sub(_in_cell, trace)


def _in_cell(frame: re.Match[str]) -> str:
    path = PurePosixPath(frame["file"])
    if is_library(frame["file"]) or not {*path.parts}.isdisjoint(("site-packages", "dist-packages")):
        return frame[0]
    name, code = frame["name"].rpartition(".")[2], frame["code"].strip()
    file, line = _place(name, code) or (path.name, int(frame["line"]))
    return f'  File "{file}", line {line}, in {frame["name"]}\n    {code}'


def _place(name: str, code: str) -> tuple[str, int] | None:
    """Return file and line of a function's code in the latest cell that has it, None if several lines are equal."""
    for file, entry in reversed([*linecache.cache.items()]):
        if len(entry) != 4 or entry[1] is not None:  # a file; a cell has no time of a change
            continue
        if not any(line.strip() == code for line in entry[2]):
            continue
        found = _lines_of(name, code, entry[2])
        if found:
            return (file, found[0]) if len(found) == 1 else None
    return None


def _lines_of(name: str, code: str, lines: list[str]) -> list[int]:
    """Return the numbers of the lines with a code in the functions of a name."""
    try:
        tree = parse("".join(lines))
    except (SyntaxError, ValueError):
        return []
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    spans = [
        range(node.lineno, (node.end_lineno or node.lineno) + 1)
        for node in ast.walk(tree)
        if isinstance(node, functions) and node.name == name
    ]
    return sorted({at for span in spans for at in span if lines[at - 1].strip() == code})
