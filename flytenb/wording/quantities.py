"""Numbers in words: durations, sizes, counts, ranges, figures of a column."""

from __future__ import annotations

import math
from typing import Any

_UNITS = ("kB", "MB", "GB", "TB", "PB")


def duration_text(seconds: float) -> str:
    """Return a duration: `<1 ms`, `12 ms`, `1.3 s`, `30 s`, `1 min 5 s`, `3 h 7 min`, `2 d`.

    At most two units; the smaller one is left out where it is zero.
    """
    if seconds < 0:
        return f"-{duration_text(-seconds)}"
    if seconds < 0.9995:
        return "<1 ms" if seconds < 0.001 else f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    first = next(i for i, (number, _) in enumerate(parts) if number)
    return " ".join(f"{number} {unit}" for number, unit in parts[first : first + 2] if number)


def bytes_text(size: int) -> str:
    """Return a size: `812 bytes`, `12.1 kB`, `3.4 GB`. An exact one is `count_text(size, "byte")`."""
    if size < 1000:
        return count_text(size, "byte")
    power = 1
    while size / 1000**power >= 999.95 and power < len(_UNITS):
        power += 1
    return f"{size / 1000**power:.1f} {_UNITS[power - 1]}"


def count_text(count: int, noun: str, plural: str = "") -> str:
    """Return `1 row`, `1,000 rows`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def true_text(count: int) -> str:
    """Return how many values are true."""
    return f"{count:,} true"


def distinct_text(count: int) -> str:
    """Return how many values differ."""
    return f"{count:,} distinct"


def first_text(looked_at: int, total: int) -> str:
    """Return the addition to a fact that holds for the first values only: ` in the first 1,000`."""
    return f" in the first {looked_at:,}" if looked_at < total else ""


def more_text(count: int, noun: str = "") -> str:
    """Return what is left out, after `…` or `and`: `1 more row`, `1,000 more rows`, `1,000 more`."""
    return count_text(count, f"more {noun}") if noun else f"{count:,} more"


def number_text(value: Any) -> str:
    """Return a number to about six digits, as tables show it; scalars are shown in full."""
    if isinstance(value, bool) or not isinstance(value, float):
        return str(value)
    if not math.isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1e15:
        return f"{value:.1f}"
    return f"{value:.6g}"


def range_text(low: str, high: str) -> str:
    """Return `low … high`, or just the one value if they are equal."""
    return low if low == high else f"{low} … {high}"


def bar_text(start: float, stop: float, width: int, *, is_marked: bool) -> str:
    """Return the range between two fractions as a bar of `width` characters, of which at least one is drawn."""
    at = min(int(start * width), width - 1)
    length = max(1, min(round((stop - start) * width), width - at))
    return " " * at + ("█" if is_marked else "▒") * length + " " * (width - at - length)
