"""An error that no run has: of a definition, a compile, a call. The user's frames and the way out, in fifteen lines."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from flytenb.display.runs.error_card import MOST_LINES, cause_lines, message_lines, note_lines
from flytenb.display.runs.hints import hint_for
from flytenb.display.runs.stack_frames import cut, frame_lines, frame_place
from flytenb.errors import DefinitionError, is_foreign, own_frames, package_roots, say
from flytenb.wording.text import message_of, one_line
from flytenb.wording.values import clean

_MOST_FRAMES = 3
_MOST_WORDS = 4


def has_own_card(error: BaseException) -> bool:
    """Tell whether an exception knows itself how it is shown; where a definition is wrong, its frames say more."""
    if "_render_traceback_" in getattr(error, "__dict__", {}):
        return True
    return hasattr(type(error), "_render_traceback_") and not isinstance(error, DefinitionError)


def sayable(error: BaseException, *, is_shown_by_us: bool = True) -> BaseException:
    """Return an exception whose name and words a front end may ask for and show: this one, or one of the same name.

    Args:
        error: what was raised.
        is_shown_by_us: whether its words must be fit for a terminal too; a cell's own errors are shown as ever.
    """
    name, said = one_line(type(error).__name__), say(error)
    try:
        is_readable = message_of(error) == said
        is_fit = not is_shown_by_us or (type(error).__name__ == name and str(error) == said)
    except Exception:
        is_readable = is_fit = False
    if is_readable and is_fit:
        return error
    stand_in: Exception = type(name, (Exception,), {})(said)
    stand_in.__cause__ = error
    return stand_in


def folded_lines(error: BaseException, shell: Any) -> list[str]:
    """Return a traceback without flytekit's frames and ours; nothing if neither the error nor its causes have any."""
    if not any(map(_has_foreign_frames, _chain(error))):
        return []
    if isinstance(error, SyntaxError):
        lines = _syntax_lines(error, shell)
    else:
        lines = message_lines(error, _MOST_WORDS)
        lines += note_lines(error, 2)
        lines += frame_lines(_after_shell(error.__traceback__), shell, _MOST_FRAMES)
        lines += cause_lines(error, shell, 1)
    hint = hint_for(error)
    if hint:
        lines.append(cut(f"  hint: {clean(hint.splitlines()[0])}"))
    return [*map(clean, lines[: MOST_LINES - 1]), "  the whole traceback: %flyte error"]


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and all that a traceback of it tells of."""
    at: BaseException | None = error
    seen: set[int] = set()
    while at is not None and id(at) not in seen:
        yield at
        seen.add(id(at))
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)


def _has_foreign_frames(error: BaseException) -> bool:
    return any(is_foreign(frame.f_code.co_filename) for frame, _ in traceback.walk_tb(error.__traceback__))


def _after_shell(trace: TracebackType | None) -> list[traceback.FrameSummary]:
    """The frames from the cell on: what called the cell is IPython's."""
    frames = own_frames(trace)
    first = next((i for i, f in enumerate(frames) if f.name == "<module>"), 0)
    return [f for f in frames[first:] if not f.filename.startswith(package_roots("IPython"))]


def _syntax_lines(error: SyntaxError, shell: Any) -> list[str]:
    """The line and the place in it, as Python shows them, with the cell's name."""
    shown = [clean(line.rstrip()) for text in traceback.format_exception_only(error) for line in text.splitlines()]
    at = traceback.FrameSummary(error.filename or "", error.lineno or 0, "", lookup_line=False)
    return [f"  {frame_place(at, shell)}", *(cut(line) for line in shown if not line.startswith("  File "))]
