"""Rows of a table as a reader chose them: sorted, searched, a page at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from flytenb.display.part import Window
from flytenb.display.selection import LATE, TOO_MANY, find_rows
from flytenb.display.view import View


class Choice(Protocol):
    """What a kind of table can tell of its rows."""

    def order(self, key: int, *, is_descending: bool) -> Sequence[int]:
        """Return the row numbers by a column, missing values last."""

    def words(self, start: int, stop: int) -> Iterable[Sequence[str]]:
        """Return columns of cells as text, for some rows."""


@dataclass(frozen=True)
class Page:
    """Which rows are shown.

    Attributes:
        rows: a stretch of them, or their numbers where they are sorted or searched.
        total: how many rows there are in all.
        window: what the part says of it.
    """

    rows: slice | list[int]
    total: int
    window: Window | None


def choose_rows(total: int, width: int, choice: Choice, view: View) -> Page:
    """Return the page that a reader chose; in a still display the first rows, for which nothing is asked.

    Args:
        total: how many rows there are.
        width: how many columns there are.
        choice: the table.
        view: where it is shown.
    """
    rows, note = _chosen(total, width, choice, view)
    start, stop = view.page(len(rows))
    window = view.window(len(rows), width=width, is_table=total <= view.limits.scan, note=note)
    shown = slice(start, stop) if isinstance(rows, range) else list(rows[start:stop])
    return Page(shown, total, window)


def _chosen(total: int, width: int, choice: Choice, view: View) -> tuple[Sequence[int], str]:
    look, rows, note = view.selection, range(total), ""
    if total > view.limits.scan:
        return rows, TOO_MANY.format(view.limits.scan)
    chosen: Sequence[int] = rows
    if 0 <= look.sort < width:
        chosen = choice.order(look.sort, is_descending=look.is_descending)
    if look.find:
        found, read = find_rows(total, look.find, choice.words, lambda: view.is_late)
        note = "" if read == total else LATE.format(read)
        kept = set(found)
        chosen = [i for i in chosen if i in kept]
    return chosen, note
