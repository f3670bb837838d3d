"""Durations of flytekit as numbers of seconds."""

from __future__ import annotations

import datetime


def seconds(duration: datetime.timedelta | float) -> int | float:
    """Return a duration in seconds, as an int if it is whole."""
    number = duration.total_seconds() if isinstance(duration, datetime.timedelta) else duration
    return int(number) if number == int(number) else number
