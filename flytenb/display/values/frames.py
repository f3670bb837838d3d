"""Displays of pandas and polars frames: the first rows and a summary of each column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from flytenb.display.part import Column, Part, Section, Table
from flytenb.display.registry import BUILT_IN
from flytenb.display.selection import sorted_rows, word
from flytenb.display.values.records import column_cells
from flytenb.display.values.row_selection import Page, select_rows
from flytenb.display.view import View
from flytenb.wording.quantities import (
    bytes_text,
    count_text,
    distinct_text,
    first_text,
    number_text,
    range_text,
    true_text,
)
from flytenb.wording.values import brief, class_name

register = BUILT_IN.register
_WIDE = 1_000
DISTINCT_ROWS = 10_000
"""Most rows in which distinct values are counted."""


@register("pandas.DataFrame")
def show_pandas(value: Any, view: View) -> Part:
    """Show a pandas frame: size, columns with their types and summaries, index, first rows."""
    rows, width = value.shape
    left, right = view.columns(width)
    page = select_rows(rows, width, _PandasRowSource(value), view)
    shown = value.iloc[page.rows, left:right]
    levels = _pandas_index(value.index, shown.index, view)
    columns = [_pandas_column(value.iloc[:, i], value.columns[i], view, i) for i in range(left, right)]
    cells = [column_cells(shown.iloc[:, i].tolist(), view) for i in range(right - left)]
    columns, cells = [*(column for column, _ in levels), *columns], [*(texts for _, texts in levels), *cells]
    # Each column takes pandas some time.
    size = bytes_text(int(value.memory_usage(deep=False).sum())) if width <= _WIDE else ""
    return frame_part(class_name(value), rows, width, (size,), columns, cells, page, extra=len(levels))


@register("pandas.Series")
@register("pandas.Index")
def show_pandas_column(value: Any, view: View) -> Part:
    """Show a pandas column."""
    series = value if hasattr(value, "iloc") else value.to_series().reset_index(drop=True)
    name = "" if value.name is None else brief(value.name, 40).strip("'")
    page = select_rows(len(series), 1, _PandasRowSource(series.to_frame()), view)
    head = series.iloc[page.rows]
    column = _pandas_column(series, name or "values", view, 0)
    levels = _pandas_index(series.index, head.index, view)
    columns = [*(column for column, _ in levels), column]
    cells = [*(texts for _, texts in levels), column_cells(head.tolist(), view)]
    facts = (count_text(len(value), "value"), bytes_text(int(value.memory_usage(deep=False))))
    return one_column_part(class_name(value), facts, columns, cells, page)


@register("polars.DataFrame")
def show_polars(value: Any, view: View) -> Part:
    """Show a polars frame: size, columns with their types and summaries, first rows."""
    rows, width = value.shape
    left, right = view.columns(width)
    names = value.columns[left:right]
    scanned = value.head(view.limits.scan)
    columns = [_polars_column(scanned.get_column(n), rows, left + i) for i, n in enumerate(names)]
    page = select_rows(rows, width, _PolarsRowSource(value), view)
    cells = [column_cells(value.get_column(n)[page.rows].to_list(), view) for n in names]
    return frame_part(class_name(value), rows, width, (bytes_text(int(value.estimated_size())),), columns, cells, page)


@register("polars.Series")
def show_polars_column(value: Any, view: View) -> Part:
    """Show a polars column."""
    column = _polars_column(value.head(view.limits.scan), len(value), 0)
    page = select_rows(len(value), 1, _PolarsRowSource(value.to_frame()), view)
    cells = [column_cells(value[page.rows].to_list(), view)]
    facts = (count_text(len(value), "value"), bytes_text(int(value.estimated_size())))
    return one_column_part(class_name(value), facts, [column], cells, page)


def frame_part(
    title: str,
    rows: int,
    width: int,
    facts: Iterable[str],
    columns: list[Column],
    cells: list[list[str]],
    page: Page,
    *,
    extra: int = 0,
) -> Part:
    """Return the part of a frame: its shape and other facts over its columns and cells."""
    shape = f"{count_text(rows, 'row')} × {count_text(width, 'column')}"
    table = Table(tuple(columns), _rows(cells), rows, width + extra, page.window)
    return Section(title, (shape, *facts), table if columns else None)


def one_column_part(
    title: str, facts: tuple[str, ...], columns: list[Column], cells: list[list[str]], page: Page
) -> Part:
    """Return the part of one column, with its index if there is one."""
    return Section(title, facts, Table(tuple(columns), _rows(cells), page.total, len(columns), page.window))


@dataclass(frozen=True)
class _PandasRowSource:
    """Sorting and searching of pandas frames."""

    frame: Any

    def order(self, key: int, *, is_descending: bool) -> Sequence[int]:
        column = self.frame.iloc[:, key].reset_index(drop=True)
        try:
            ordered = column.sort_values(ascending=not is_descending, kind="stable")
        except TypeError:
            # Objects of different types may have no common order.
            return sorted_rows(column.tolist(), is_descending=is_descending)
        return cast("list[int]", ordered.index.tolist())

    def words(self, start: int, stop: int) -> Iterator[list[str]]:
        for i in range(self.frame.shape[1]):
            column = self.frame.iloc[start:stop, i]
            yield list(map(word, (column if column.dtype == object else column.astype(str)).tolist()))


@dataclass(frozen=True)
class _PolarsRowSource:
    """Sorting and searching of polars frames."""

    frame: Any

    def order(self, key: int, *, is_descending: bool) -> Sequence[int]:
        column = self.frame.to_series(key)
        ordered = column.arg_sort(descending=is_descending, nulls_last=True)
        return cast("list[int]", ordered.to_list())

    def words(self, start: int, stop: int) -> Iterator[list[str]]:
        for column in self.frame.slice(start, stop - start).iter_columns():
            yield list(map(word, column.to_list()))


def _rows(cells: list[list[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(zip(*cells, strict=True))


def _pandas_index(index: Any, shown: Any, view: View) -> list[tuple[Column, list[str]]]:
    """Return each level of the index as a column, or nothing if it is a plain row count."""
    only_counts = type(index).__name__ == "RangeIndex" and index.name is None and index.start == 0 and index.step == 1
    if only_counts:
        counts = Column("", is_number=True, is_own=False)
        return [(counts, column_cells(shown.tolist(), view))] if view.is_interactive else []
    found = []
    for level, name in enumerate(index.names):
        dtype = index.levels[level].dtype if index.nlevels > 1 else index.dtype
        head = "index" if name is None else str(name)
        cells = column_cells(shown.get_level_values(level).tolist(), view)
        found.append((Column(head, f"index {dtype}", is_own=False), cells))
    return found


def _column_name(name: Any) -> str:
    """Return the name of a column; the levels of several are separated by a point."""
    if isinstance(name, tuple) and name:
        return brief(" · ".join(str(level) for level in name if level != ""), 40).strip("'")
    return name if isinstance(name, str) else brief(name, 40)


def _pandas_column(series: Any, name: Any, view: View, key: int) -> Column:
    scanned = series.iloc[: view.limits.scan]
    dtype = str(series.dtype)
    kind = getattr(series.dtype, "kind", "O")
    nulls = int(scanned.isna().sum())
    spread = ""
    if kind in "iufmM" or dtype.startswith("datetime64"):
        if nulls < len(scanned):
            spread = range_text(point_text(scanned.min()), point_text(scanned.max()))
    elif kind == "b":
        spread = true_text(int(scanned.sum()))
    else:
        spread = distinct_among(lambda: scanned.iloc[:DISTINCT_ROWS].nunique(), len(scanned))
    summary = summary_text(spread, nulls, len(series), len(scanned))
    return Column(_column_name(name), dtype, summary, kind in "iuf", key)


def _polars_column(series: Any, total: int, key: int) -> Column:
    nulls = int(series.null_count())
    is_number = bool(series.dtype.is_numeric())
    spread = ""
    if is_number or series.dtype.is_temporal():
        low, high = series.min(), series.max()
        spread = "" if low is None else range_text(point_text(low), point_text(high))
    elif str(series.dtype) == "Boolean":
        spread = true_text(int(series.sum() or 0))
    else:
        spread = distinct_among(lambda: series.head(DISTINCT_ROWS).drop_nulls().n_unique(), len(series))
    return Column(series.name, str(series.dtype), summary_text(spread, nulls, total, len(series)), is_number, key)


def distinct_among(count: Callable[[], int], rows: int) -> str:
    """Return the number of distinct values among the first rows, or nothing if they can't be compared."""
    try:
        number = count()
    except Exception:
        # Lists and dicts aren't hashable.
        return ""
    return distinct_text(number) + first_text(DISTINCT_ROWS, rows)


def summary_text(spread: str, nulls: int, total: int, scanned: int) -> str:
    """Return the summary of a column's values, and how many were scanned if not all."""
    parts = [spread, count_text(nulls, "null") if nulls else ""]
    where = first_text(scanned, total)
    if spread.endswith(first_text(DISTINCT_ROWS, DISTINCT_ROWS + 1)):
        # Distinct values were counted in fewer rows.
        return ", ".join((spread, *(p + where for p in parts[1:] if p)))
    text = ", ".join(p for p in parts if p)
    return text + where if text else ""


def point_text(value: Any) -> str:
    """Return a bound of a column: numbers to six digits, times without midnight."""
    if isinstance(value, float):
        return number_text(float(value))
    return str(value).removesuffix(" 00:00:00")
