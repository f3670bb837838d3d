"""User frames of a traceback as lines, without those of flytekit, flytenb and libraries."""

from __future__ import annotations

import linecache
import traceback
from collections.abc import Callable, Iterable
from itertools import groupby

from flytenb.errors import INSTALLED, STANDARD, is_library
from flytenb.wording.text import WIDTH
from flytenb.wording.values import clean

_MAGIC = "get_ipython().run_"
"""Part of a line with a magic as IPython rewrites it, whose frame is left out: the reader has just run that line."""
_LONGEST_PATH = 60
_LONGEST_HINT = 160
_BEFORE = 20
"""Characters before the failing part that stay in a line that is too long."""


CellName = Callable[[str], str]
"""Returns the name of the notebook cell with a frame's file name (`Cell In[3]`), `""` if there is none."""


def no_cell(filename: str) -> str:
    """Return `""`: no file is a cell."""
    return ""


def frame_lines(frames: Iterable[traceback.FrameSummary], cell_name: CellName, most: int) -> list[str]:
    """Return the user's frames, innermost last, two lines each, and the library frame that raised.

    Args:
        frames: outermost first, without those of flytekit and flytenb.
        cell_name: names the cell of a frame.
        most: most frames shown; a repeated frame counts once.
    """
    known = [f for f in frames if _MAGIC not in (f.line or "")]
    own = [f for f in known if not is_library(f.filename)]
    if not own:  # a task of an installed package
        own = [f for f in known if not _is_standard(f.filename)]
    lines = []
    for same in [list(group) for _, group in groupby(own, lambda f: (f.filename, f.lineno, f.name))][-most:]:
        times = f", {len(same)} times" if len(same) > 1 else ""
        lines.append(cut(f"  {frame_place(same[0], cell_name)}, in {clean(same[0].name)}{times}"))
        lines += _source_lines(same[0], is_last=same[0] is own[-1] or same[-1] is own[-1])
    if own and known[-1] is not own[-1]:
        lines.append(cut(f"  raised in {frame_place(known[-1], cell_name)}, in {clean(known[-1].name)}"))
    return lines


def _source_lines(frame: traceback.FrameSummary, *, is_last: bool = True) -> list[str]:
    """Return the line of a frame, and carets below the expression that failed if it is the last frame.

    A line that is too long is cut at its end, and before the failing part if that begins beyond the width.
    """
    line = (frame.line or "").strip()
    if not line:
        return []
    start, width = _failing_part(frame, line) if is_last else (0, 0)
    room = WIDTH - 4
    if start + min(width, _BEFORE) > room:
        left_out = start - _BEFORE
        line, start = f"…{line[left_out:]}", _BEFORE + 1
    carets = "^" * min(width, room - start, len(line) - start)
    shown = f"    {clean(line)}"
    return [cut(shown), *([f"    {' ' * start}{carets}"] if carets and clean(line) == line else [])]


def _failing_part(frame: traceback.FrameSummary, line: str) -> tuple[int, int]:
    """Return start and width of the expression that failed in a line without its indentation, width 0 if unknown."""
    start, stop = getattr(frame, "colno", None), getattr(frame, "end_colno", None)
    written = linecache.getline(frame.filename, frame.lineno or 0)
    if start is None or stop is None or frame.end_lineno != frame.lineno or written.strip() != line:
        return 0, 0
    coded = written.encode()  # columns are counted in bytes
    left = len(coded[:start].decode(errors="replace")) - (len(written) - len(written.lstrip()))
    return (left, len(coded[start:stop].decode(errors="replace"))) if left >= 0 else (0, 0)


def frame_place(frame: traceback.FrameSummary, cell_name: CellName) -> str:
    """Return `Cell In[3], line 2` for a cell, file and line for a file."""
    cell = cell_name(frame.filename)
    return f"{cell or _shortened(frame.filename)}, line {frame.lineno}"


def cut(text: str, width: int = WIDTH) -> str:
    """Return the line cut to a readable width."""
    return text if len(text) <= width else f"{text[: width - 1]}…"


def hint_line(hint: str) -> str:
    """Return the line of a hint, which may take more than one line of a page."""
    return cut(f"  hint: {clean(hint.splitlines()[0])}", _LONGEST_HINT)


def _shortened(filename: str) -> str:
    """Return the path within the library's directory, `json/decoder.py`, or the end of a long one."""
    for root in (*INSTALLED, *STANDARD):
        if filename.startswith(root):
            filename = filename[len(root) :].lstrip("/\\") or filename
            break
    return filename if len(filename) <= _LONGEST_PATH else f"…{filename[1 - _LONGEST_PATH :]}"


def _is_standard(filename: str) -> bool:
    return filename.startswith(STANDARD) and not filename.startswith(INSTALLED)
