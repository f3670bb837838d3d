"""The clock of a cluster, which may differ from that of this machine."""

from __future__ import annotations

import math
import time


class ClusterClock:
    """Converts times of a cluster to times of this machine, as far as the two clocks are known to differ.

    What was read has happened, and an execution starts after it was sent: these are all that is known. Within them the
    clocks count as equal, so that durations are those of the cluster.

    Attributes:
        sent: when the execution was sent, by the clock of this machine; None if another process has sent it.
    """

    def __init__(self, sent: float | None = None) -> None:
        self.sent = sent
        self._least = 0.0
        self._most = math.inf

    def note(self, *times: float | None) -> None:
        """Note times of the cluster that were just read."""
        now = time.time()
        self._most = min([self._most, *(now - each for each in times if each is not None)])

    def note_start(self, started: float | None) -> None:
        """Note when the execution has started."""
        if self.sent is not None and started is not None:
            self._least = max(self._least, self.sent - started)

    def here(self, seconds: float) -> float:
        """Return a time of the cluster by the clock of this machine, not after now."""
        self.note(seconds)
        return seconds + min(self._least, self._most)
