"""Displays of tables: pandas, polars, Arrow. The first rows and a summary of each column, never the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from flytenb.display.brief import brief, class_name
from flytenb.display.loaded import loaded
from flytenb.display.look import sorted_rows, word
from flytenb.display.part import Column, Note, Part, Section, Table
from flytenb.display.quantities import bytes_text, count_text, number_text, range_text
from flytenb.display.registry import BUILT_IN
from flytenb.display.values.choices import Page, choose_rows
from flytenb.display.values.records import cell_text
from flytenb.display.view import View

display_for = BUILT_IN.display_for
_WIDE = 1_000
_DISTINCT_ROWS = 10_000
"""Counting distinct texts needs a table of them: only so many rows are looked at."""


@display_for("pandas.DataFrame")
def show_pandas(value: Any, view: View) -> Part:
    """Show a pandas frame: size, columns with their types and summaries, index, first rows."""
    rows, width = value.shape
    left, right = view.columns(width)
    page = choose_rows(rows, width, _PandasChoice(value), view)
    shown = value.iloc[page.rows, left:right]
    index = _pandas_index(value.index, shown.index, view)
    columns = [_pandas_column(value.iloc[:, i], value.columns[i], view, i) for i in range(left, right)]
    cells = [[cell_text(v, view) for v in shown.iloc[:, i].tolist()] for i in range(right - left)]
    if index is not None:
        columns.insert(0, index[0])
        cells.insert(0, index[1])
    # Asking pandas takes a moment per column.
    size = bytes_text(int(value.memory_usage(deep=False).sum())) if width <= _WIDE else ""
    return _frame(class_name(value), rows, width, (size,), columns, cells, page, extra=index is not None)


@display_for("pandas.Series")
@display_for("pandas.Index")
def show_pandas_column(value: Any, view: View) -> Part:
    """Show one column of pandas."""
    series = value if hasattr(value, "iloc") else value.to_series().reset_index(drop=True)
    name = "" if value.name is None else brief(value.name, 40).strip("'")
    page = choose_rows(len(series), 1, _PandasChoice(series.to_frame()), view)
    head = series.iloc[page.rows]
    column = _pandas_column(series, name or "values", view, 0)
    columns, cells = [column], [[cell_text(v, view) for v in head.tolist()]]
    index = _pandas_index(series.index, head.index, view)
    if index is not None:
        columns.insert(0, index[0])
        cells.insert(0, index[1])
    facts = (count_text(len(value), "value"), bytes_text(int(value.memory_usage(deep=False))))
    return _one_column(class_name(value), facts, columns, cells, page)


@display_for("polars.DataFrame")
def show_polars(value: Any, view: View) -> Part:
    """Show a polars frame: size, columns with their types and summaries, first rows."""
    rows, width = value.shape
    left, right = view.columns(width)
    names = value.columns[left:right]
    scanned = value.head(view.limits.scan)
    columns = [_polars_column(scanned.get_column(n), rows, left + i) for i, n in enumerate(names)]
    page = choose_rows(rows, width, _PolarsChoice(value), view)
    cells = [[cell_text(v, view) for v in value.get_column(n)[page.rows].to_list()] for n in names]
    return _frame(class_name(value), rows, width, (bytes_text(int(value.estimated_size())),), columns, cells, page)


@display_for("polars.Series")
def show_polars_column(value: Any, view: View) -> Part:
    """Show one column of polars."""
    column = _polars_column(value.head(view.limits.scan), len(value), 0)
    page = choose_rows(len(value), 1, _PolarsChoice(value.to_frame()), view)
    cells = [[cell_text(v, view) for v in value[page.rows].to_list()]]
    facts = (count_text(len(value), "value"), bytes_text(int(value.estimated_size())))
    return _one_column(class_name(value), facts, [column], cells, page)


@display_for("pyarrow.Table")
@display_for("pyarrow.RecordBatch")
def show_arrow(value: Any, view: View) -> Part:
    """Show an Arrow table: size, columns with their types and summaries, first rows."""
    shown = range(*view.columns(value.num_columns))
    columns = [
        _arrow_column(str(value.schema.names[i]), value.schema.types[i], value.column(i), view, i) for i in shown
    ]
    page = choose_rows(value.num_rows, value.num_columns, _ArrowChoice(value.columns), view)
    cells = [[cell_text(v, view) for v in _arrow_values(value.column(i), page.rows)] for i in shown]
    facts = (bytes_text(int(value.nbytes)),)
    return _frame(class_name(value), value.num_rows, value.num_columns, facts, columns, cells, page)


@display_for("pyarrow.Array")
@display_for("pyarrow.ChunkedArray")
def show_arrow_column(value: Any, view: View) -> Part:
    """Show one Arrow column."""
    column = _arrow_column("values", value.type, value, view, 0)
    page = choose_rows(len(value), 1, _ArrowChoice([value]), view)
    cells = [[cell_text(v, view) for v in _arrow_values(value, page.rows)]]
    facts = (count_text(len(value), "value"), bytes_text(int(value.nbytes)))
    return _one_column(class_name(value), facts, [column], cells, page)


@display_for("polars.LazyFrame")
@display_for("pyarrow.dataset.Dataset")
@display_for("pyarrow.RecordBatchReader")
@display_for("duckdb.DuckDBPyRelation")
@display_for("dask.dataframe.DataFrame")
@display_for("pyspark.sql.DataFrame")
@display_for("ibis.expr.types.Table")
def show_lazy(value: Any, view: View) -> Part:
    """Name a query that looking at would run."""
    return Section(class_name(value), (), Note("not collected: looking at its rows would run it"))


def _frame(
    title: str,
    rows: int,
    width: int,
    facts: Iterable[str],
    columns: list[Column],
    cells: list[list[str]],
    page: Page,
    *,
    extra: bool = False,
) -> Part:
    shape = f"{count_text(rows, 'row')} × {count_text(width, 'column')}"
    table = Table(tuple(columns), _rows(cells), rows, width + extra, page.window)
    return Section(title, (shape, *facts), table if columns else None)


def _one_column(title: str, facts: tuple[str, ...], columns: list[Column], cells: list[list[str]], page: Page) -> Part:
    return Section(title, facts, Table(tuple(columns), _rows(cells), page.total, len(columns), page.window))


@dataclass(frozen=True)
class _PandasChoice:
    """How pandas orders and spells the rows of a frame."""

    frame: Any

    def order(self, key: int, *, is_descending: bool) -> Sequence[int]:
        column = self.frame.iloc[:, key].reset_index(drop=True)
        try:
            ordered = column.sort_values(ascending=not is_descending, kind="stable")
        except TypeError:
            # Unlike objects have no order of their own.
            return sorted_rows(column.tolist(), is_descending=is_descending)
        return cast("list[int]", ordered.index.tolist())

    def words(self, start: int, stop: int) -> Iterator[list[str]]:
        for i in range(self.frame.shape[1]):
            column = self.frame.iloc[start:stop, i]
            yield list(map(word, (column if column.dtype == object else column.astype(str)).tolist()))


@dataclass(frozen=True)
class _PolarsChoice:
    """How polars orders and spells the rows of a frame."""

    frame: Any

    def order(self, key: int, *, is_descending: bool) -> Sequence[int]:
        column = self.frame.to_series(key)
        ordered = column.arg_sort(descending=is_descending, nulls_last=True)
        return cast("list[int]", ordered.to_list())

    def words(self, start: int, stop: int) -> Iterator[list[str]]:
        for column in self.frame.slice(start, stop - start).iter_columns():
            yield list(map(word, column.to_list()))


@dataclass(frozen=True)
class _ArrowChoice:
    """How Arrow orders and spells the rows of some columns."""

    columns: Sequence[Any]

    def order(self, key: int, *, is_descending: bool) -> Sequence[int]:
        # A part of a package that the user has imported.
        from pyarrow import compute

        column = self.columns[key]
        try:
            found = compute.array_sort_indices(column, order="descending" if is_descending else "ascending")
        except Exception:
            # Arrow has no order for every type (lists, structs).
            return sorted_rows(column.to_pylist(), is_descending=is_descending)
        return cast("list[int]", found.to_pylist())

    def words(self, start: int, stop: int) -> Iterator[list[str]]:
        for column in self.columns:
            yield list(map(word, column.slice(start, stop - start).to_pylist()))


def _arrow_values(column: Any, rows: slice | Sequence[int]) -> list[Any]:
    if isinstance(rows, slice):
        return list(column.slice(rows.start, rows.stop - rows.start).to_pylist())
    return [column[i].as_py() for i in rows]


def _rows(cells: list[list[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(zip(*cells, strict=True))


def _pandas_index(index: Any, shown: Any, view: View) -> tuple[Column, list[str]] | None:
    """Return the index as a column, unless it only counts and so do the rows."""
    only_counts = type(index).__name__ == "RangeIndex" and index.name is None and index.start == 0 and index.step == 1
    if only_counts and view.looks is None:
        return None
    names = [str(n) for n in index.names if n is not None]
    values = [cell_text(v, view) for v in shown.tolist()]
    if only_counts:
        return Column("", is_number=True, is_own=False), values
    return Column(", ".join(names) or "index", f"index {index.dtype}", is_own=False), values


def _pandas_column(series: Any, name: Any, view: View, key: int) -> Column:
    scanned = series.iloc[: view.limits.scan]
    dtype = str(series.dtype)
    kind = getattr(series.dtype, "kind", "O")
    nulls = int(scanned.isna().sum())
    spread = ""
    if kind in "iufmM" or dtype.startswith("datetime64"):
        if nulls < len(scanned):
            spread = range_text(_point(scanned.min()), _point(scanned.max()))
    elif kind == "b":
        spread = f"{int(scanned.sum()):,} true"
    else:
        spread = _distinct(lambda: scanned.iloc[:_DISTINCT_ROWS].nunique(), len(scanned))
    summary = _summary(spread, nulls, len(series), len(scanned))
    return Column(name if isinstance(name, str) else brief(name, 40), dtype, summary, kind in "iuf", key)


def _polars_column(series: Any, total: int, key: int) -> Column:
    nulls = int(series.null_count())
    is_number = bool(series.dtype.is_numeric())
    spread = ""
    if is_number or series.dtype.is_temporal():
        low, high = series.min(), series.max()
        spread = "" if low is None else range_text(_point(low), _point(high))
    elif str(series.dtype) == "Boolean":
        spread = f"{int(series.sum() or 0):,} true"
    else:
        spread = _distinct(lambda: series.head(_DISTINCT_ROWS).drop_nulls().n_unique(), len(series))
    return Column(series.name, str(series.dtype), _summary(spread, nulls, total, len(series)), is_number, key)


def _arrow_column(name: str, type_: Any, array: Any, view: View, key: int) -> Column:
    scanned = array.slice(0, view.limits.scan)
    kinds: Any = loaded("pyarrow.types")
    is_number = kinds.is_integer(type_) or kinds.is_floating(type_) or kinds.is_decimal(type_)
    spread = "" if loaded("pyarrow.compute") is None else _arrow_spread(type_, scanned, is_number=is_number)
    summary = _summary(spread, int(scanned.null_count), len(array), len(scanned))
    return Column(name, str(type_), summary, is_number, key)


def _arrow_spread(type_: Any, scanned: Any, *, is_number: bool) -> str:
    compute: Any = loaded("pyarrow.compute")
    kinds: Any = loaded("pyarrow.types")
    if kinds.is_boolean(type_):
        return f"{compute.sum(scanned).as_py() or 0:,} true"
    if not is_number and not kinds.is_temporal(type_):
        return _distinct(lambda: compute.count_distinct(scanned.slice(0, _DISTINCT_ROWS)).as_py(), len(scanned))
    try:
        span = compute.min_max(scanned).as_py()
    except NotImplementedError:
        # Arrow has no order for every type (durations, half floats).
        return ""
    return "" if span["min"] is None else range_text(_point(span["min"]), _point(span["max"]))


def _distinct(count: Callable[[], int], rows: int) -> str:
    try:
        number = count()
    except Exception:
        # Lists and dicts in a column can't be told apart by hashing.
        return ""
    where = f" in the first {_DISTINCT_ROWS:,}" if rows > _DISTINCT_ROWS else ""
    return f"{number:,} distinct{where}"


def _summary(spread: str, nulls: int, total: int, scanned: int) -> str:
    parts = [spread, count_text(nulls, "null") if nulls else ""]
    where = f" in the first {scanned:,}" if scanned < total else ""
    if spread.endswith(f" in the first {_DISTINCT_ROWS:,}"):
        # Counting what differs stopped earlier still.
        return ", ".join((spread, *(p + where for p in parts[1:] if p)))
    text = ", ".join(p for p in parts if p)
    return text + where if text else ""


def _point(value: Any) -> str:
    """Return a bound of a column: numbers to six digits, moments without zeros that say nothing."""
    if isinstance(value, float):
        return number_text(float(value))
    return str(value).removesuffix(" 00:00:00")
