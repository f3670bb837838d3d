"""Short form of an error outside of runs (definitions, compiling, calls): the user's frames and a hint, in 15 lines."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from flytenb.display.runs.error_card import MOST_LINES, cause_lines
from flytenb.display.runs.error_message import message_lines, note_lines, process_lines
from flytenb.display.runs.hints import hint_for
from flytenb.display.runs.stack_frames import cut, frame_lines, frame_place, hint_line
from flytenb.errors import DefinitionError, is_foreign, own_frames, package_roots, say
from flytenb.notebook.failures.error_cards import cell_names
from flytenb.wording.text import message_of, one_line
from flytenb.wording.values import clean

_MOST_FRAMES = 3
_MOST_MESSAGE_LINES = 4


def has_own_card(error: BaseException) -> bool:
    """Tell whether an exception renders itself; definition errors don't count, since their frames say more."""
    if "_render_traceback_" in getattr(error, "__dict__", {}):
        return True
    return hasattr(type(error), "_render_traceback_") and not isinstance(error, DefinitionError)


def printable(error: BaseException, *, is_shown_by_us: bool = True) -> BaseException:
    """Return an exception whose name and message a front end can show: this one, or a replacement of the same name.

    Args:
        error: the exception.
        is_shown_by_us: whether the message must be safe for a terminal too; errors of a cell's own code are shown
            as IPython shows them.
    """
    name, message = one_line(type(error).__name__), say(error)
    try:
        is_readable = message_of(error) == message
        is_safe = not is_shown_by_us or (type(error).__name__ == name and str(error) == message)
    except Exception:
        is_readable = is_safe = False
    if is_readable and is_safe:
        return error
    replacement: Exception = type(name, (Exception,), {})(message)
    replacement.__cause__ = error
    return replacement


def short_lines(error: BaseException, shell: Any) -> list[str]:
    """Return a traceback without the frames of flytekit and flytenb; nothing if the error and its causes have none."""
    if not any(map(_has_foreign_frames, _chain(error))):
        return []
    return [*cell_error_lines(error, shell), "  the whole traceback: %flyte error"]


def cell_error_lines(error: BaseException, shell: Any) -> list[str]:
    """Return message, frames of the user, cause and hint of an error in a cell."""
    if isinstance(error, SyntaxError):
        lines = _syntax_lines(error, shell)
    else:
        lines = message_lines(error, _MOST_MESSAGE_LINES)
        lines += note_lines(error, 2)
        lines += process_lines(error)
        lines += frame_lines(_after_shell(error.__traceback__), cell_names(shell), _MOST_FRAMES)
        lines += cause_lines(error, cell_names(shell), 1)
    hint = hint_for(error)
    if hint:
        lines.append(hint_line(hint))
    return [clean(line) for line in lines[: MOST_LINES - 1]]


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and the causes and contexts that its traceback shows."""
    at: BaseException | None = error
    seen: set[int] = set()
    while at is not None and id(at) not in seen:
        yield at
        seen.add(id(at))
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)


def _has_foreign_frames(error: BaseException) -> bool:
    return any(is_foreign(frame.f_code.co_filename) for frame, _ in traceback.walk_tb(error.__traceback__))


def _after_shell(trace: TracebackType | None) -> list[traceback.FrameSummary]:
    """Return the frames from the cell on; those above it are IPython's."""
    frames = own_frames(trace)
    first = next((i for i, f in enumerate(frames) if f.name == "<module>"), 0)
    return [f for f in frames[first:] if not f.filename.startswith(package_roots("IPython"))]


def _syntax_lines(error: SyntaxError, shell: Any) -> list[str]:
    """Return the line and the place in it as Python shows them, with the name of the cell."""
    shown = [clean(line.rstrip()) for text in traceback.format_exception_only(error) for line in text.splitlines()]
    at = traceback.FrameSummary(error.filename or "", error.lineno or 0, "", lookup_line=False)
    return [f"  {frame_place(at, cell_names(shell))}", *(cut(line) for line in shown if not line.startswith("  File "))]
