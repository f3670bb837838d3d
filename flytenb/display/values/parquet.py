"""Display of a Parquet file by its footer and a page of rows, if pyarrow is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flytenb.display.part import Column, Note, Part, Table, Window
from flytenb.display.values.arrow import ArrowRowSource, arrow_values
from flytenb.display.values.records import column_cells
from flytenb.display.values.row_selection import select_rows
from flytenb.display.view import View
from flytenb.wording.packages import loaded
from flytenb.wording.quantities import bytes_text, count_text, number_text, range_text

_STRETCH = 10_000
"""Rows held at once while skipping to the page."""
_HELD = 100_000_000
"""Most unpacked bytes that are read for sorting and searching."""
_WORDS = frozenset({"string", "large_string", "binary", "large_binary"})


def parquet_part(path: Path, view: View) -> Part:
    """Return a file's columns with range and nulls from its footer, and a page of rows."""
    if loaded("pyarrow") is None:
        return Note("import pyarrow to see its columns")
    # A part of a package that is loaded already.
    from pyarrow import parquet

    footer = parquet.read_metadata(path)
    schema = footer.schema.to_arrow_schema()
    total, width = footer.num_rows, len(schema.names)
    left, right = view.columns(width)
    held = sum(footer.row_group(g).total_byte_size for g in range(footer.num_row_groups))
    can_hold = held <= _HELD and total <= view.limits.scan
    # The footer has one column per leaf: nested columns don't match the schema's.
    is_flat = footer.num_columns == width
    columns = [_column(schema, footer, i, is_flat, i if can_hold else -1) for i in range(left, right)]
    # Keeps dictionary encoding, so that repeated values are held once.
    words = [field.name for field in schema if str(field.type) in _WORDS]
    with parquet.ParquetFile(path, metadata=footer, read_dictionary=words) as file:
        numbers, found, window = _page(file, schema.names[left:right], view, held, can_hold=can_hold)
    cells = [column_cells(column, view) for column in found]
    if view.is_interactive and columns:
        columns.insert(0, Column("", is_number=True, is_own=False))
        cells.insert(0, [str(i) for i in numbers])
    return Table(tuple(columns), tuple(zip(*cells, strict=True)), total, width + (window is not None), window)


def _page(
    file: Any, names: list[str], view: View, held: int, *, can_hold: bool
) -> tuple[Sequence[int], list[list[Any]], Window | None]:
    """Return the rows to show: their numbers, their values by column, and the part's window."""
    total, width = file.metadata.num_rows, len(file.schema_arrow.names)
    if can_hold and (view.selection.sort >= 0 or view.selection.find):
        # Sorting needs the whole file.
        table = file.read()
        page = select_rows(total, width, ArrowRowSource(table.columns), view)
        numbers = range(total)[page.rows] if isinstance(page.rows, slice) else page.rows
        return numbers, [arrow_values(table.column(n), page.rows) for n in names], page.window
    start, stop = view.page(total)
    note = "" if can_hold else f"{bytes_text(held)} of {count_text(total, 'row')} are paged, not sorted or searched"
    window = view.window(total, width=width, is_table=can_hold, note=note)
    if not names or not total:
        return range(0), [[] for _ in names], window
    return range(start, stop), [column.to_pylist() for column in _rows(file, start, stop, names).columns], window


def _rows(file: Any, start: int, stop: int, names: list[str]) -> Any:
    """Read some rows, from their row groups only and in batches."""
    # Parts of a package that is loaded already.
    import pyarrow

    groups, before, end = [], 0, 0
    for number in range(file.metadata.num_row_groups):
        rows = file.metadata.row_group(number).num_rows
        if end < stop and end + rows > start:
            groups.append(number)
        elif not groups:
            before += rows
        end += rows
    found = []
    for batch in file.iter_batches(_STRETCH, row_groups=groups, columns=names):
        if before + batch.num_rows > start:
            found.append(batch.slice(max(start - before, 0), stop - max(start, before)))
        before += batch.num_rows
        if before >= stop:
            break
    return pyarrow.Table.from_batches(found)


def _column(schema: Any, footer: Any, index: int, is_flat: bool, key: int) -> Column:
    field = schema.field(index)
    is_number = str(field.type).startswith(("int", "uint", "float", "double", "decimal", "halffloat"))
    return Column(field.name, str(field.type), _summary(footer, index) if is_flat else "", is_number, key)


def _summary(footer: Any, index: int) -> str:
    """Return a column's range and nulls over all row groups, as far as the footer has them."""
    found = [footer.row_group(g).column(index).statistics for g in range(min(footer.num_row_groups, 1000))]
    known = [s for s in found if s is not None]
    if not known or len(known) < len(found) or footer.num_row_groups > 1000:
        return ""
    nulls = sum(s.null_count or 0 for s in known)
    spans = [(s.min, s.max) for s in known if s.has_min_max]
    text = ""
    if spans and not isinstance(spans[0][0], bytes):
        text = range_text(_short(min(a for a, _ in spans)), _short(max(b for _, b in spans)))
    return ", ".join(p for p in (text, count_text(nulls, "null") if nulls else "") if p)


def _short(value: Any) -> str:
    return number_text(value) if isinstance(value, float) else str(value)[:24]
