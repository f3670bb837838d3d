"""A Parquet file by its footer and a page of its rows, if the user has pyarrow loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flytenb.display.loaded import loaded
from flytenb.display.part import Column, Note, Part, Table
from flytenb.display.quantities import count_text, number_text, range_text
from flytenb.display.values.records import cell_text
from flytenb.display.view import View

_STRETCH = 10_000
"""Rows that are held at once while those before the page are passed over."""


def parquet_part(path: Path, view: View) -> Part:
    """Return a file's columns, with the spans and nulls that its footer tells, and the rows that are looked at."""
    if loaded("pyarrow") is None:
        return Note("import pyarrow to see its columns")
    # A part of a package that the user has imported.
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        schema, footer = file.schema_arrow, file.metadata
        total, width = footer.num_rows, len(schema.names)
        (start, stop), (left, right) = view.page(total), view.columns(width)
        # One column per leaf in the footer: nested ones don't line up with the schema's.
        is_flat = footer.num_columns == width
        columns = [_column(schema, footer, i, is_flat) for i in range(left, right)]
        cells: list[list[str]] = []
        if columns and total:
            page = _rows(file, start, stop, schema.names[left:right])
            cells = [[cell_text(v, view) for v in column.to_pylist()] for column in page.columns]
    if view.looks is not None and columns:
        columns.insert(0, Column("", is_number=True, is_own=False))
        cells.insert(0, [str(i) for i in range(start, stop)])
    window = view.window(total, width=width)
    return Table(tuple(columns), tuple(zip(*cells, strict=True)), total, width + (window is not None), window)


def _rows(file: Any, start: int, stop: int, names: list[str]) -> Any:
    """Read some rows: only the row groups that hold them, a stretch at a time."""
    # Parts of a package that the user has imported.
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


def _column(schema: Any, footer: Any, index: int, is_flat: bool) -> Column:
    field = schema.field(index)
    is_number = str(field.type).startswith(("int", "uint", "float", "double", "decimal", "halffloat"))
    return Column(field.name, str(field.type), _summary(footer, index) if is_flat else "", is_number)


def _summary(footer: Any, index: int) -> str:
    """Return a column's span and nulls over all row groups, as far as the footer has them."""
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
