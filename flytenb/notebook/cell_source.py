"""The Python code of a cell that IPython has run, its own syntax resolved."""

from __future__ import annotations

import ast
import json
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flytenb.notebook.magics.container_line import container_source
from flytenb.notebook.magics.line import strip_end
from flytenb.reach.syntax_trees import parse
from flytenb.ship.cells import CellRun

_PYTHON = ("time", "capture", "prun")
"""CellRun magics that run their body in the notebook."""
_DEFINING = ("task", "workflow", "dynamic", "eager")


def read_cell(shell: Any, result: Any) -> CellRun:
    """Return the cell of IPython's result."""
    raw = result.info.raw_cell or ""
    kind, arguments, source = resolve_source(shell, raw)
    failed_at = 0 if result.error_before_exec is not None else _line_of(shell, result.error_in_exec)
    if failed_at is None and not result.success:
        failed_at = 0
    key = getattr(result.info, "cell_id", None) or raw
    return CellRun(result.execution_count, source, kind, arguments, str(key), failed_at)


def read_running_cell(shell: Any, info: Any, last_number: int) -> CellRun:
    """Return the cell that a shell begins to run after the cell of this number; IPython 9 has counted it already."""
    raw = info.raw_cell or ""
    kind, arguments, source = resolve_source(shell, raw)
    number = max(last_number + 1, shell.execution_count - 1) if info.store_history else None
    return CellRun(number, source, kind, arguments, str(getattr(info, "cell_id", None) or raw))


def read_history(shell: Any, after: int) -> Iterator[CellRun]:
    """Yield the finished cells of a shell with larger numbers, as far as its history holds them."""
    history = shell.history_manager
    texts = [] if history is None else list(history.input_hist_raw)[:-1]
    for number, raw in enumerate(texts):
        if number > after:
            kind, arguments, source = resolve_source(shell, raw)
            yield CellRun(number, source, kind, arguments, raw)


def cell_of_file(shell: Any, run_files: Mapping[str, str], file: str) -> int | str | None:
    """Return the number of the cell that a shell compiled under a file name, None for any other file.

    Args:
        shell: the shell.
        run_files: the files that `%run` has executed as cells, which are returned in place of a number, by file name.
        file: the file name.
    """
    _, said = shell.compile.format_code_name(file) or ("", "")
    digits = said.removeprefix("In[").removesuffix("]")
    return int(digits) if digits.isdigit() else run_files.get(file)


def names_of_run_file(shell: Any, file: Path) -> dict[str, str]:
    """Return the file names that the code of a `.ipy` or `.ipynb` file has while `%run` executes it.

    IPython compiles the file as cells, by a compiler that `shell.compile` doesn't know.

    Returns:
        the path of the file, with the number of the code cell for a notebook, by file name; empty if IPython can't
        read it either.
    """
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".ipynb":
            cells = [cell["source"] for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        else:
            cells = [text]
        names = {}
        for number, cell in enumerate(cells, 1):
            raw = "".join(cell)
            code = shell.compiler_class().get_code_name(raw, shell.transform_cell(raw), shell.execution_count)
            names[code] = str(file) if file.suffix == ".ipy" else f"{file}, cell {number}"
    except Exception:  # a transformer may raise anything for a cell that it can't read
        return {}
    return names


def resolve_source(shell: Any, raw: str) -> tuple[str, str, str]:
    """Return the cell magic that makes something else of the cell, its line, and the code."""
    try:
        source = str(shell.transform_cell(raw))
        body = parse(source).body
    except Exception:  # a transformer may raise anything for a cell that it can't read
        return "", "", ""
    call = getattr(body[0], "value", None) if len(body) == 1 else None
    if not (isinstance(call, ast.Call) and ast.unparse(call.func) == "get_ipython().run_cell_magic"):
        return "", "", source
    magic, line, inner = (str(getattr(argument, "value", "")) for argument in call.args)
    if magic in _PYTHON:
        return resolve_source(shell, inner)
    if magic == "container":
        return "", "", container_source(strip_end(line), inner)[1]
    if magic in _DEFINING:
        return magic, strip_end(line), str(shell.transform_cell(inner))
    return magic, line, inner


def _line_of(shell: Any, error: BaseException | None) -> int | None:
    """Return the line of the cell that raised."""
    if error is None:
        return None
    frames = traceback.walk_tb(error.__traceback__)
    return next((line for frame, line in frames if frame.f_globals is shell.user_ns), 0)
