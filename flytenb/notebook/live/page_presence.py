"""Whether a page still follows a run, by what pages say; and when it is time to call for one again."""

from __future__ import annotations

import time
from collections.abc import Callable

_SILENCE = 100.0
"""Seconds after which a page that was heard is taken for gone; pages speak every 20 s, hidden ones every 60."""
_FIRST, _LONGEST = 2.0, 64.0
"""Seconds between two calls: at first about what a page takes to load, then ever more."""
_MOST_BYTES = 8_000_000
"""What all calls of one run may take: a server keeps them while no page is there."""


class PagePresence:
    """Hears pages come and go. A page that was loaded anew can't speak before the kernel is free, but it hears.

    A page that was never heard belongs to a front end that can't speak while a cell runs: it may well be there, so it
    is never called.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due: float | None = None
        self._pause = _FIRST
        self._spent = 0

    def hear(self) -> None:
        """A page says that it is there."""
        self._due = self._clock() + _SILENCE
        self._pause = _FIRST

    def leave(self) -> None:
        """A page says that it goes; it may be back in a moment."""
        self._pause = _FIRST
        self._due = self._clock() + self._pause

    def is_due(self) -> bool:
        """Tell whether to call now."""
        return self._due is not None and self._clock() >= self._due and self._spent < _MOST_BYTES

    def called(self, size: int) -> None:
        """Remember that somebody called, with so many bytes; the next call is not so soon."""
        self._spent += size
        self._due = self._clock() + self._pause
        self._pause = min(2 * self._pause, _LONGEST)

    def __repr__(self) -> str:
        return f"<PagePresence {'silent' if self._due is None else 'known'}, {self._spent} bytes called>"
