"""Displays of Arrow tables and columns; only a page of rows is converted to Python objects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from flytenb.display.part import Column, Part
from flytenb.display.registry import BUILT_IN
from flytenb.display.selection import sorted_rows, word
from flytenb.display.values.frames import (
    DISTINCT_ROWS,
    distinct_among,
    frame_part,
    one_column_part,
    point_text,
    summary_text,
)
from flytenb.display.values.records import column_cells
from flytenb.display.values.row_selection import select_rows
from flytenb.display.view import View
from flytenb.wording.packages import loaded
from flytenb.wording.quantities import bytes_text, count_text, range_text, true_text
from flytenb.wording.values import class_name

register = BUILT_IN.register


@register("pyarrow.Table")
@register("pyarrow.RecordBatch")
def show_arrow(value: Any, view: View) -> Part:
    """Show an Arrow table: size, columns with their types and summaries, first rows."""
    shown = range(*view.columns(value.num_columns))
    columns = [
        _arrow_column(str(value.schema.names[i]), value.schema.types[i], value.column(i), view, i) for i in shown
    ]
    page = select_rows(value.num_rows, value.num_columns, ArrowRowSource(value.columns), view)
    cells = [column_cells(arrow_values(value.column(i), page.rows), view) for i in shown]
    facts = (bytes_text(int(value.nbytes)),)
    return frame_part(class_name(value), value.num_rows, value.num_columns, facts, columns, cells, page)


@register("pyarrow.Array")
@register("pyarrow.ChunkedArray")
def show_arrow_column(value: Any, view: View) -> Part:
    """Show an Arrow column."""
    column = _arrow_column("values", value.type, value, view, 0)
    page = select_rows(len(value), 1, ArrowRowSource([value]), view)
    cells = [column_cells(arrow_values(value, page.rows), view)]
    facts = (count_text(len(value), "value"), bytes_text(int(value.nbytes)))
    return one_column_part(class_name(value), facts, [column], cells, page)


@dataclass(frozen=True)
class ArrowRowSource:
    """Sorting and searching of Arrow columns."""

    columns: Sequence[Any]

    def order(self, key: int, *, is_descending: bool) -> Sequence[int]:
        # A part of a package that is loaded already.
        from pyarrow import compute

        column = self.columns[key]
        if _is_dictionary(column):
            column = _ranks(column)
        try:
            found = compute.array_sort_indices(column, order="descending" if is_descending else "ascending")
        except Exception:
            # Arrow can't sort every type (lists, structs).
            return sorted_rows(column.to_pylist(), is_descending=is_descending)
        return cast("list[int]", found.to_pylist())

    def words(self, start: int, stop: int) -> Iterator[list[str]]:
        for column in self.columns:
            piece = column.slice(start, stop - start)
            if not _is_dictionary(column):
                yield list(map(word, piece.to_pylist()))
                continue
            whole = _joined(piece)
            # Equal values share one text.
            texts = [*map(word, whole.dictionary.to_pylist()), word(None)]
            yield [texts[-1 if i is None else i] for i in whole.indices.to_pylist()]


def _is_dictionary(column: Any) -> bool:
    kinds: Any = loaded("pyarrow.types")
    return bool(kinds.is_dictionary(column.type))


def _ranks(column: Any) -> Any:
    """Return a sort key for each row of a dictionary column, by its decoded value."""
    from pyarrow import compute

    whole = _joined(column)
    return compute.rank(whole.dictionary).take(whole.indices)


def _joined(column: Any) -> Any:
    """Return a dictionary column as one array with one dictionary."""
    return column.unify_dictionaries().combine_chunks() if hasattr(column, "chunks") else column


def arrow_values(column: Any, rows: slice | Sequence[int]) -> list[Any]:
    """Return some rows of a column as Python objects."""
    if isinstance(rows, slice):
        return list(column.slice(rows.start, rows.stop - rows.start).to_pylist())
    return [column[i].as_py() for i in rows]


def _arrow_column(name: str, type_: Any, array: Any, view: View, key: int) -> Column:
    scanned = array.slice(0, view.limits.scan)
    kinds: Any = loaded("pyarrow.types")
    is_number = kinds.is_integer(type_) or kinds.is_floating(type_) or kinds.is_decimal(type_)
    spread = "" if loaded("pyarrow.compute") is None else _arrow_spread(type_, scanned, is_number=is_number)
    summary = summary_text(spread, int(scanned.null_count), len(array), len(scanned))
    return Column(name, str(type_), summary, is_number, key)


def _arrow_spread(type_: Any, scanned: Any, *, is_number: bool) -> str:
    compute: Any = loaded("pyarrow.compute")
    kinds: Any = loaded("pyarrow.types")
    if kinds.is_boolean(type_):
        return true_text(compute.sum(scanned).as_py() or 0)
    if not is_number and not kinds.is_temporal(type_):
        return distinct_among(lambda: compute.count_distinct(scanned.slice(0, DISTINCT_ROWS)).as_py(), len(scanned))
    try:
        span = compute.min_max(scanned).as_py()
    except NotImplementedError:
        # Arrow can't compare every type (durations, half floats).
        return ""
    return "" if span["min"] is None else range_text(point_text(span["min"]), point_text(span["max"]))
