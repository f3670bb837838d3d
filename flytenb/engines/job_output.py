"""Output of a job: decoded, passed on while the job runs, and limited in size."""

from __future__ import annotations

import codecs
from collections import deque
from collections.abc import Callable

from flytenb.wording.quantities import count_text

HEAD = 600_000
"""Characters at the beginning of an output that are passed on."""
TAIL = 60_000
"""Characters at its end that are passed on."""


class JobOutput:
    """Passes on the beginning of an output as it comes and its end when it is closed, in bounded memory.

    Args:
        log: called with each piece.
    """

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._room = HEAD
        self._tail: deque[str] = deque()
        self._kept = 0
        self._dropped = 0

    def write(self, data: bytes) -> None:
        """Add bytes to the output."""
        self._add(self._decoder.decode(data))

    def close(self) -> None:
        """Pass on the end of the output."""
        self._add(self._decoder.decode(b"", final=True))
        tail = "".join(self._tail)
        excess = max(0, len(tail) - TAIL)
        dropped = self._dropped + excess
        if dropped:
            self._log(f"\n… {count_text(dropped, 'character')} left out …\n")
        if tail:
            self._log(tail[excess:])
        self._tail.clear()

    def _add(self, text: str) -> None:
        head, rest = text[: self._room], text[self._room :]
        self._room -= len(head)
        if head:
            self._log(head)
        if not rest:
            return
        self._tail.append(rest)
        self._kept += len(rest)
        while self._kept - len(self._tail[0]) >= TAIL:
            oldest = len(self._tail.popleft())
            self._kept -= oldest
            self._dropped += oldest
