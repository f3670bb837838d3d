"""What a reader has chosen to see of a value: which rows in which order, which elements, what is open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flytenb.wording.values import brief

Path = tuple[str, ...]
"""Where a value lies within the one that is shown: the steps of the trees that lead to it."""

PAGE_SIZES = (10, 25, 50, 100)
TOO_MANY = "more than {:,} rows aren't sorted or searched"
LATE = "only the first {:,} rows were searched: it took too long"
_CHUNK = 10_000


@dataclass(frozen=True)
class Selection:
    """What is chosen at one place; the default is what a still display shows.

    Attributes:
        start: the first row or entry.
        size: how many rows, 0 for as many as the limits say.
        left: the first column.
        sort: the column to sort by, counted from the left of the whole; -1 for none.
        is_descending: whether the largest comes first.
        find: only rows with this text in one of their cells, whatever their case.
        index: the element along each axis but the last two.
        is_open: whether what lies here is unfolded; `None` leaves it to the display.
    """

    start: int = 0
    size: int = 0
    left: int = 0
    sort: int = -1
    is_descending: bool = False
    find: str = ""
    index: tuple[int, ...] = ()
    is_open: bool | None = None


@dataclass(frozen=True)
class Selections:
    """All that is chosen within one value.

    Attributes:
        by_place: what is chosen where.
        is_live: whether somebody can choose again, so that there are controls.
    """

    by_place: Mapping[Path, Selection]
    is_live: bool = True

    def at(self, path: Path) -> Selection:
        """Return what is chosen at a place."""
        return self.by_place.get(path, Selection())


def find_rows(
    total: int, text: str, cells: Callable[[int, int], Iterable[Sequence[str]]], is_late: Callable[[], bool]
) -> tuple[list[int], int]:
    """Return the rows that hold a text, and how many rows were looked at before it took too long.

    Args:
        total: how many rows there are.
        text: what is looked for.
        cells: gives columns of cells as text for the rows from one number up to another.
        is_late: whether the time is over.
    """
    wanted = text.casefold()
    found: list[int] = []
    for start in range(0, total, _CHUNK):
        if start and is_late():
            return found, start
        stop = min(start + _CHUNK, total)
        hits = {i for column in cells(start, stop) for i, cell in enumerate(column) if wanted in cell.casefold()}
        found.extend(start + i for i in sorted(hits))
    return found, total


def word(value: Any) -> str:
    """Return a cell as it is searched, whatever its own methods do."""
    if type(value) is str:
        return value
    try:
        return str(value)
    except Exception:
        return brief(value)


def sorted_rows(keys: Sequence[Any], *, is_descending: bool) -> list[int]:
    """Return row numbers in the order of their keys; missing ones last, unlike ones by their kind."""
    missing = [i for i, key in enumerate(keys) if _is_missing(key)]
    gone = set(missing)
    known = [i for i in range(len(keys)) if i not in gone]
    try:
        known.sort(key=lambda i: keys[i], reverse=is_descending)
    except Exception:
        # Kinds that have no common order, or an order of the user's own that raises.
        known.sort(key=lambda i: (type(keys[i]).__name__, word(keys[i])), reverse=is_descending)
    return known + missing


def _is_missing(key: Any) -> bool:
    try:
        return key is None or bool(key != key)
    except Exception:
        # An array, pandas' NA, or an == of the user's own.
        return False
