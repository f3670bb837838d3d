"""Output of a job: decoded, passed on while the job runs, and limited in size."""

from __future__ import annotations

import codecs
from collections import deque
from collections.abc import Callable

from flytenb.wording.quantities import bytes_text

HEAD = 600_000
"""Bytes at the beginning of an output that are passed on."""
TAIL = 60_000
"""Bytes at its end that are passed on."""


class JobOutput:
    """Passes on the beginning of an output as it comes and its end when it is closed, in bounded memory.

    Args:
        log: called with each piece.
        head: bytes at the beginning that are passed on.
    """

    def __init__(self, log: Callable[[str], None], head: int = HEAD) -> None:
        self._log = log
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._room = head
        self._tail: deque[bytes] = deque()
        self._kept = 0
        self._dropped = 0

    def write(self, data: bytes) -> None:
        """Add bytes to the output."""
        head, rest = data[: self._room], data[self._room :]
        self._room -= len(head)
        self._pass_on(head)
        if not rest:
            return
        self._tail.append(rest)
        self._kept += len(rest)
        while self._kept - len(self._tail[0]) >= TAIL:
            oldest = len(self._tail.popleft())
            self._kept -= oldest
            self._dropped += oldest

    def close(self) -> None:
        """Pass on the end of the output."""
        tail = b"".join(self._tail)
        excess = max(0, len(tail) - TAIL)
        if self._dropped + excess:
            self._pass_on(b"", is_last=True)
            self._log(f"\n… {bytes_text(self._dropped + excess)} left out …\n")
        self._pass_on(tail[excess:], is_last=True)
        self._tail.clear()

    def _pass_on(self, data: bytes, *, is_last: bool = False) -> None:
        text = self._decoder.decode(data, final=is_last)
        if text:
            self._log(text)
