"""Selections: which rows, order, elements and open entries of a value its reader has chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flytenb.wording.values import brief

Path = tuple[str, ...]
"""Place of a nested value: the entries of the trees that lead to it."""

PAGE_SIZES = (10, 25, 50, 100)
TOO_MANY = "more than {:,} rows aren't sorted or searched"
LATE = "only the first {:,} rows were searched: it took too long"
_CHUNK = 10_000


@dataclass(frozen=True)
class Selection:
    """Rows, columns and indexes selected in one value; the defaults are those of a static display.

    Attributes:
        start: index of the first row or entry.
        size: number of rows, 0 for the limit.
        left: index of the first column.
        sort: index of the column to sort by, -1 for none.
        is_descending: whether the order is descending.
        find: text that a row's cells must contain, ignoring case.
        index: selected index along each axis except the last two.
        is_open: whether the entry is open; `None` for the display's default.
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
    """All selections within one value.

    Attributes:
        by_place: the selection at each place.
        is_live: whether controls are shown.
    """

    by_place: Mapping[Path, Selection]
    is_live: bool = True

    def at(self, path: Path) -> Selection:
        """Return the selection at a place."""
        return self.by_place.get(path, Selection())


def find_rows(
    total: int, text: str, cells: Callable[[int, int], Iterable[Sequence[str]]], is_late: Callable[[], bool]
) -> tuple[list[int], int]:
    """Return the numbers of rows that contain a text, and how many rows were searched in time.

    Args:
        total: number of rows.
        text: the searched text.
        cells: returns columns of cells as text for a range of rows.
        is_late: whether the time is used up.
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
    """Return a cell as text for searching; never raises."""
    if type(value) is str:
        return value
    try:
        return str(value)
    except Exception:
        return brief(value)


def sorted_rows(keys: Sequence[Any], *, is_descending: bool) -> list[int]:
    """Return row numbers in the order of their keys, missing keys last; unordered keys by type name."""
    missing = [i for i, key in enumerate(keys) if _is_missing(key)]
    gone = set(missing)
    known = [i for i in range(len(keys)) if i not in gone]
    try:
        known.sort(key=lambda i: keys[i], reverse=is_descending)
    except Exception:
        # Types without a common order, or a user's comparison that raises.
        known.sort(key=lambda i: (type(keys[i]).__name__, word(keys[i])), reverse=is_descending)
    return known + missing


def _is_missing(key: Any) -> bool:
    try:
        return key is None or bool(key != key)
    except Exception:
        # An array, pandas' NA, or a user's `__eq__`.
        return False
