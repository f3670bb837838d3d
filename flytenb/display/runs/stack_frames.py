"""User frames of a traceback as lines, without those of flytekit, flytenb and libraries."""

from __future__ import annotations

import linecache
import traceback
from collections.abc import Callable, Iterable
from itertools import groupby

from flytenb.errors import INSTALLED, STANDARD, is_library
from flytenb.wording.values import clean

WIDTH = 160
_MAGIC = "get_ipython().run_"
"""Start of a line with a magic, whose frame is left out."""


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
    known = [f for f in frames if not (f.line or "").startswith(_MAGIC)]
    own = [f for f in known if not is_library(f.filename)]
    if not own:  # a task of an installed package
        own = [f for f in known if not _is_standard(f.filename)]
    lines = []
    for same in [list(group) for _, group in groupby(own, lambda f: (f.filename, f.lineno, f.name))][-most:]:
        times = f", {len(same)} times" if len(same) > 1 else ""
        lines.append(cut(f"  {frame_place(same[0], cell_name)}, in {clean(same[0].name)}{times}"))
        if same[0].line:
            lines.append(cut(f"    {clean(same[0].line.strip())}"))
    if own and own[-1].line and (carets := _carets(own[-1])):
        lines.append(carets)
    if own and known[-1] is not own[-1]:
        lines.append(cut(f"  raised in {frame_place(known[-1], cell_name)}, in {clean(known[-1].name)}"))
    return lines


def _carets(frame: traceback.FrameSummary) -> str:
    """Return carets below the expression that failed, `""` if its place isn't known or it takes several lines."""
    start, stop = getattr(frame, "colno", None), getattr(frame, "end_colno", None)
    written = linecache.getline(frame.filename, frame.lineno or 0)
    line = (frame.line or "").strip()
    if start is None or stop is None or frame.end_lineno != frame.lineno or written.strip() != line:
        return ""
    coded = written.encode()  # columns are counted in bytes
    left = len(coded[:start].decode(errors="replace")) - (len(written) - len(written.lstrip()))
    width = min(len(coded[start:stop].decode(errors="replace")), len(line) - left)
    is_shown_as_written = clean(line) == line and 4 + left + width <= WIDTH
    return f"    {' ' * left}{'^' * width}" if is_shown_as_written and left >= 0 < width else ""


def frame_place(frame: traceback.FrameSummary, cell_name: CellName) -> str:
    """Return `Cell In[3], line 2` for a cell, file and line for a file."""
    cell = cell_name(frame.filename)
    return f"{cell or _shortened(frame.filename)}, line {frame.lineno}"


def cut(text: str) -> str:
    """Return the line cut to a readable width."""
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"


def _shortened(filename: str) -> str:
    """Return the path within the library's directory: `json/decoder.py`."""
    for root in (*INSTALLED, *STANDARD):
        if filename.startswith(root):
            return filename[len(root) :].lstrip("/\\") or filename
    return filename


def _is_standard(filename: str) -> bool:
    return filename.startswith(STANDARD) and not filename.startswith(INSTALLED)
