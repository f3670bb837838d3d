"""ANSI emphasis: error cards in every front end, phases in a terminal."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from typing import Any

_BOLD, _BAD, _DIM, _END = "\x1b[1m", "\x1b[1;91m", "\x1b[2m", "\x1b[0m"
_GOOD, _GOES, _TAKEN = "\x1b[32m", "\x1b[36m", "\x1b[35m"
_COLORS = {"✓": _GOOD, "✕": _BAD, "◷": _BAD, "▶": _GOES, "■": _DIM, "○": _DIM, "⚡": _TAKEN, "↻": _TAKEN}
_WORDS = "succeeded|failed|timed out|stopped|running|queued|re-used"
_HEAD = re.compile(rf"\A([{''.join(_COLORS)}]) (.+?) ({_WORDS})(?= ·|$)", re.MULTILINE)
"""The first line of a run."""
_PHASE = re.compile(rf"(?<!\S)[{''.join(_COLORS)}](?= )(?: (?:{_WORDS})\b)?")
"""The phase of a node in a tree or a table."""
_HINT = "  hint: "
_MORE = "  the whole traceback: "


def has_colors(shell: Any) -> bool:
    """Tell whether colors are wanted and shown: not in files, nor with `NO_COLOR`, `TERM=dumb` or `%colors nocolor`."""
    is_wanted = not os.environ.get("NO_COLOR") and str(getattr(shell, "colors", "")).lower() != "nocolor"
    return is_wanted and (_has_kernel(shell) or (sys.stdout.isatty() and os.environ.get("TERM") != "dumb"))


def is_colored_terminal(shell: Any) -> bool:
    """Tell whether the shell prints to a terminal that shows colors, whose user wants them."""
    return not _has_kernel(shell) and has_colors(shell)


def _has_kernel(shell: Any) -> bool:
    return getattr(shell, "kernel", None) is not None


def colored(text: str) -> str:
    """Return the text of a run or a table with its phases in color; other texts that look like one are colored too."""
    return _PHASE.sub(lambda found: f"{_COLORS[found[0][0]]}{found[0]}{_END}", _HEAD.sub(_colored_head, text))


def _colored_head(found: re.Match[str]) -> str:
    color = _COLORS[found[1]]
    return f"{color}{found[1]}{_END} {_BOLD}{found[2]}{_END} {color}{found[3]}{_END}"


def emphasized(lines: list[str], *, is_page: bool = False) -> list[str]:
    """Return the lines of an error card with emphasis; they contain no control characters before.

    Args:
        lines: the lines.
        is_page: whether a page shows them. Its background of errors is red, on which no red is legible in both themes.
    """
    bad = _BOLD if is_page else _BAD
    return [_first(lines[0], bad), *_others(lines[1:], bad)] if lines else []


def _first(line: str, bad: str) -> str:
    name, colon, message = line.partition(": ")
    return f"{bad}{name}{_END}{_BOLD}{colon}{message}{_END}"


def _others(lines: list[str], bad: str) -> Iterator[str]:
    for line in lines:
        if set(line.strip()) == {"^"}:
            yield f"{bad}{line}{_END}"
        elif line.startswith(_HINT):
            yield f"{_BOLD}{_HINT}{_END}{line.removeprefix(_HINT)}"
        elif line.startswith(_MORE):
            yield f"{_DIM}{line}{_END}"
        else:
            yield line
