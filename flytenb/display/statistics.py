"""Statistics of values: range, distribution, missing values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from flytenb.display.part import Histogram
from flytenb.wording.quantities import count_text, distinct_text, number_text, range_text, true_text
from flytenb.wording.values import brief

FEWEST = 20
"""Fewest numbers for a histogram."""


def bins_for(count: int) -> int:
    """Return the number of histogram bins for `count` numbers."""
    return min(2 * math.isqrt(count), 24)


def histogram(numbers: Sequence[float], written: Sequence[Any] = ()) -> Histogram | None:
    """Return the histogram of finite numbers; `None` if they are all equal.

    Args:
        numbers: the numbers.
        written: the same numbers in the type in which the bounds are written, e.g. as ints.
    """
    low, high = min(numbers), max(numbers)
    bins = bins_for(len(numbers))
    width = (high - low) / bins
    # The width is 0 between neighbouring floats and infinite between the largest ones.
    if not 0 < width < math.inf:
        return None
    counts = [0] * bins
    for number in numbers:
        counts[min(int((number - low) / width), bins - 1)] += 1
    spelled = written or numbers
    return Histogram(tuple(counts), number_text(min(spelled)), number_text(max(spelled)))


def is_null(value: Any) -> bool:
    """Whether a value is missing: None or NaN."""
    return value is None or (isinstance(value, float) and value != value)


def column_summary(values: Iterable[Any]) -> str:
    """Return the summary of a column: its range or number of distinct values, and the number of missing ones."""
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
        return true_text(sum(known))
    try:
        distinct = len(set(known))
    except Exception:
        # Unhashable, or a user's `__hash__` or `__eq__` that raises.
        return ""
    if distinct == 1 and len(known) > 1:
        return f"all {brief(known[0], 20)}"
    return distinct_text(distinct) if len(known) > 1 else ""
