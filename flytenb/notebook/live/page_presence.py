"""Presence of the pages that show a run, and when the widget must be announced again."""

from __future__ import annotations

import time
from collections.abc import Callable

from flytenb.wording.quantities import bytes_text

_SILENCE = 100.0
"""Seconds without a message after which a page counts as gone; pages send one every 20 s, hidden ones every 60 s."""
_FIRST, _LONGEST = 2.0, 64.0
"""Seconds between announcements: at first about a page's loading time, then doubling."""
_MOST_BYTES = 8_000_000
"""Most bytes of all announcements of one run; a server keeps them while there is no page."""


class PagePresence:
    """Tracks whether a page shows the run. A page reloaded while a cell runs can only receive.

    A page that never sent anything belongs to a front end that can't send while a cell runs; it is assumed to be there.

    Args:
        clock: monotonic clock in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due: float | None = None
        self._pause = _FIRST
        self._spent = 0

    def page_seen(self) -> None:
        """Record a message from a page."""
        self._due = self._clock() + _SILENCE
        self._pause = _FIRST

    def page_left(self) -> None:
        """Record that a page was closed; it may be reloading."""
        self._pause = _FIRST
        self._due = self._clock() + self._pause

    def is_due(self) -> bool:
        """Whether the widget must be announced now."""
        return self._due is not None and self._clock() >= self._due and self._spent < _MOST_BYTES

    def announced(self, size: int) -> None:
        """Record an announcement of `size` bytes; the next one is delayed longer."""
        self._spent += size
        self._due = self._clock() + self._pause
        self._pause = min(2 * self._pause, _LONGEST)

    def __repr__(self) -> str:
        return f"<PagePresence {'silent' if self._due is None else 'known'}, {bytes_text(self._spent)} sent>"
