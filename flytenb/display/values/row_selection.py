"""Rows of a table as selected by the reader: sorted, searched, paged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from flytenb.display.part import Window
from flytenb.display.selection import LATE, TOO_MANY, find_rows
from flytenb.display.view import View


class RowSource(Protocol):
    """What a table must provide for sorting and searching."""

    def order(self, key: int, *, is_descending: bool) -> Sequence[int]:
        """Return the row numbers ordered by a column, missing values last."""

    def words(self, start: int, stop: int) -> Iterable[Sequence[str]]:
        """Return columns of cells as text, for a range of rows."""


@dataclass(frozen=True)
class Page:
    """The rows of one page.

    Attributes:
        rows: a range of rows, or their numbers if they are sorted or searched.
        total: number of rows after searching.
        window: the part's window.
    """

    rows: slice | list[int]
    total: int
    window: Window | None


def select_rows(total: int, width: int, source: RowSource, view: View) -> Page:
    """Return the selected page; in a static display the first rows, without sorting and searching.

    Args:
        total: number of rows.
        width: number of columns.
        source: sorts and searches the table.
        view: the context.
    """
    rows, note = _chosen(total, width, source, view)
    start, stop = view.page(len(rows))
    window = view.window(len(rows), width=width, is_table=total <= view.limits.scan, note=note)
    shown = slice(start, stop) if isinstance(rows, range) else list(rows[start:stop])
    return Page(shown, total, window)


def _chosen(total: int, width: int, source: RowSource, view: View) -> tuple[Sequence[int], str]:
    look, rows, note = view.selection, range(total), ""
    if total > view.limits.scan:
        return rows, TOO_MANY.format(view.limits.scan)
    chosen: Sequence[int] = rows
    if 0 <= look.sort < width:
        chosen = source.order(look.sort, is_descending=look.is_descending)
    if look.find:
        found, read = find_rows(total, look.find, source.words, lambda: view.is_late)
        note = "" if read == total else LATE.format(read)
        kept = set(found)
        chosen = [i for i in chosen if i in kept]
    return chosen, note
