"""Figures about many values: their span, how they spread, what is missing; always over a bounded number of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from flytenb.display.part import Histogram
from flytenb.wording.quantities import count_text, number_text, range_text
from flytenb.wording.values import brief

FEWEST = 20
"""Fewer numbers than these aren't worth a histogram."""


def bins_for(count: int) -> int:
    """Return how many bins show the spread of so many numbers."""
    return min(2 * math.isqrt(count), 24)


def histogram(numbers: Sequence[float], written: Sequence[Any] = ()) -> Histogram | None:
    """Return how finite numbers spread over equal bins; `None` if they are all one.

    Args:
        numbers: what is counted.
        written: the same numbers as their bounds are to be written, e.g. as ints.
    """
    low, high = min(numbers), max(numbers)
    bins = bins_for(len(numbers))
    width = (high - low) / bins
    # The width vanishes between neighbouring floats and overflows between the largest ones.
    if not 0 < width < math.inf:
        return None
    counts = [0] * bins
    for number in numbers:
        counts[min(int((number - low) / width), bins - 1)] += 1
    spelled = written or numbers
    return Histogram(tuple(counts), number_text(min(spelled)), number_text(max(spelled)))


def is_null(value: Any) -> bool:
    """Whether a value stands for a missing one: None or NaN."""
    return value is None or (isinstance(value, float) and value != value)


def column_summary(values: Iterable[Any]) -> str:
    """Return what a reader wants to know about a column: its span or how many differ, and how many are missing."""
    known: list[Any] = []
    nulls = 0
    for value in values:
        if is_null(value):
            nulls += 1
        else:
            known.append(value)
    parts = [_span(known), count_text(nulls, "null") if nulls else ""]
    return ", ".join(p for p in parts if p)


def _span(known: list[Any]) -> str:
    if not known:
        return ""
    kinds = {type(v) for v in known}
    if kinds <= {int, float}:
        return range_text(number_text(min(known)), number_text(max(known)))
    if kinds == {bool}:
        return f"{sum(known):,} true"
    try:
        distinct = len(set(known))
    except Exception:
        # Unhashable, or a __hash__ or __eq__ of the user's own that raises: then nobody counts them.
        return ""
    if distinct == 1 and len(known) > 1:
        return f"all {brief(known[0], 20)}"
    return f"{distinct:,} distinct" if len(known) > 1 else ""
