"""Moments: stretches of time in which runs execute no code of users.

Only code changes what code reaches, so what was compared once in a moment isn't compared again. Runs end a moment
when any step but a plain cache hit ends, and when a step becomes ready by anything but the end of another step. Other
threads and programs may change something at any time, without an order to the nodes of a run: no moment is long.
"""

from __future__ import annotations

from time import monotonic

_LONGEST = 0.005
"""Seconds; as long as a thread may keep the others from running by default (`sys.setswitchinterval`)."""


class Moment:
    """One moment, identified by the object."""

    __slots__ = ("_ends",)

    def __init__(self) -> None:
        self._ends = monotonic() + _LONGEST

    def is_over(self) -> bool:
        """Return whether it has lasted as long as a moment may."""
        return monotonic() > self._ends


_current = Moment()


def current_moment() -> Moment:
    """Return the current moment; what is compared afterwards holds until it ends."""
    global _current
    found = _current
    if found.is_over():
        found = _current = Moment()
    return found


def end_moment() -> None:
    """End the current moment: code of a user may have run."""
    global _current
    _current = Moment()
