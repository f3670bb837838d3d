"""The frames of a traceback that a user wrote, as lines; flytekit's, ours and the libraries' are left out."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable
from itertools import groupby

from flytenb.errors import INSTALLED, STANDARD, is_library
from flytenb.wording.values import clean

WIDTH = 160
_MAGIC = "get_ipython().run_"
"""What a line with a magic becomes: the user knows what they typed."""


CellName = Callable[[str], str]
"""Returns the name of the notebook cell with a frame's file name (`Cell In[3]`), `""` if there is none."""


def no_cell(filename: str) -> str:
    """Return `""`: outside of a notebook no file is a cell."""
    return ""


def frame_lines(frames: Iterable[traceback.FrameSummary], cell_name: CellName, most: int) -> list[str]:
    """Return the user's own frames, two lines each, the innermost last, and where in a library it ended.

    Args:
        frames: outermost first, without flytekit's and ours.
        cell_name: names the cell of a frame.
        most: frames that are shown; one that calls itself over and over counts once.
    """
    known = [f for f in frames if not (f.line or "").startswith(_MAGIC)]
    own = [f for f in known if not is_library(f.filename)]
    if not own:  # a task that was installed with its package
        own = [f for f in known if not _is_standard(f.filename)]
    lines = []
    for same in [list(group) for _, group in groupby(own, lambda f: (f.filename, f.lineno, f.name))][-most:]:
        times = f", {len(same)} times" if len(same) > 1 else ""
        lines.append(cut(f"  {frame_place(same[0], cell_name)}, in {clean(same[0].name)}{times}"))
        if same[0].line:
            lines.append(cut(f"    {clean(same[0].line.strip())}"))
    if own and known[-1] is not own[-1]:
        lines.append(cut(f"  raised in {frame_place(known[-1], cell_name)}, in {clean(known[-1].name)}"))
    return lines


def frame_place(frame: traceback.FrameSummary, cell_name: CellName) -> str:
    """`Cell In[3], line 2` for a cell, file and line for a file."""
    cell = cell_name(frame.filename)
    return f"{cell or _shortened(frame.filename)}, line {frame.lineno}"


def cut(text: str) -> str:
    """Return a line of readable width."""
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"


def _shortened(filename: str) -> str:
    """`json/decoder.py`: where a library is installed tells nothing."""
    for root in (*INSTALLED, *STANDARD):
        if filename.startswith(root):
            return filename[len(root) :].lstrip("/\\") or filename
    return filename


def _is_standard(filename: str) -> bool:
    return filename.startswith(STANDARD) and not filename.startswith(INSTALLED)
