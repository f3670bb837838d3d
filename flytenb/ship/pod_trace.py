"""The traceback of a pod with the lines of the notebook's cells, in place of those of the module made from them."""

from __future__ import annotations

import linecache
import re
from collections.abc import Iterator

from flytenb.errors import is_library

_FRAME = re.compile(r'^  File "(?P<file>.+)", line \d+, in (?P<name>.+)\n    (?P<code>.+)$', flags=re.M)


def name_cells(trace: str) -> str:
    """Return a traceback in which frames of an exported module are frames of the cells with the same code."""
    return _FRAME.sub(_in_cell, trace)


def _in_cell(frame: re.Match[str]) -> str:
    if is_library(frame["file"]):
        return frame[0]
    name, code = frame["name"].rpartition(".")[2], frame["code"].strip()
    place = next(_places(name, code), None)
    return frame[0] if place is None else f'  File "{place[0]}", line {place[1]}, in {frame["name"]}\n    {code}'


def _places(name: str, code: str) -> Iterator[tuple[str, int]]:
    """Yield file and line of a function's code in the cells, the latest cell first."""
    begins = re.compile(rf"\s*(async )?def {re.escape(name)}\b")
    for file, entry in reversed([*linecache.cache.items()]):
        if len(entry) != 4 or entry[1] is not None:  # a file; a cell has no time of a change
            continue
        is_inside = False
        for number, line in enumerate(entry[2], 1):
            if is_inside and line.strip() == code:
                yield file, number
            is_inside |= begins.match(line) is not None
