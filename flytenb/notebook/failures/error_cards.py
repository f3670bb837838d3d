"""Error cards in IPython: the card of a failed run becomes its exception's traceback, with the shell's cell names."""

from __future__ import annotations

import linecache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flytenb.display.runs.error_card import ErrorCard, card_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from flytenb.runner.run import Run


def cell_names(shell: Any) -> Callable[[str], str]:
    """Return a function from a frame's file name to its cell's name (`Cell In[3]`), `""` if the file isn't a cell.

    The code of a file that `%run` executes has the name of the file.
    """
    compiler = getattr(shell, "compile", None)

    def cell_name(filename: str) -> str:
        found = None if compiler is None else compiler.format_code_name(filename)
        return _run_file(shell, filename) if found is None else " ".join(found)

    return cell_name


def _run_file(shell: Any, filename: str) -> str:
    """Return the path of the file with IPython's syntax that `%run` executes now, if the code is that of the file.

    IPython compiles it as a cell that `shell.compile` doesn't know.
    """
    path = str(getattr(shell, "user_ns", {}).get("__file__", ""))
    if not path.endswith(".ipy") or filename == path:
        return ""
    try:
        code = shell.transform_cell(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return ""
    return path if "".join(linecache.getlines(filename)).strip() == code.strip() else ""


def attach(run: Run, shell: Any = None) -> None:
    """Make IPython show a failed run's exception as an error card; the exception's arguments don't change."""
    if run.error is None:
        return
    tracer = getattr(shell, "InteractiveTB", None)
    if tracer is not None:
        tracer.tb = run.error.exception.__traceback__  # %debug starts here; IPython sets it only without a card
    try:
        card = ErrorCard(tuple(card_lines(run, cell_names(shell))))
        run.error.exception._render_traceback_ = card  # type: ignore[attr-defined]
    except Exception:
        return  # e.g. an exception with __slots__: IPython's own traceback is shown
