"""Error cards in IPython: the card of a failed run becomes its exception's traceback, with the shell's cell names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flytenb.display.runs.error_card import ErrorCard, card_lines
from flytenb.reach.code_parts import cell_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from flytenb.runner.run import Run


def cell_names(shell: Any) -> Callable[[str], str]:
    """Return a function from a frame's file name to its cell's name (`Cell In[3]`), `""` if the file isn't a cell.

    The code of a file that `%run` has executed has the name of the file.
    """
    compiler = getattr(shell, "compile", None)

    def name(filename: str) -> str:
        found = None if compiler is None else compiler.format_code_name(filename)
        return cell_name(filename) if found is None else " ".join(found)

    return name


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
