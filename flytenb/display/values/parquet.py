"""A Parquet file by its footer and first rows, if the user has pyarrow loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flytenb.display.loaded import loaded
from flytenb.display.part import Column, Note, Part, Table
from flytenb.display.quantities import count_text, number_text, range_text
from flytenb.display.values.records import cell_text
from flytenb.display.view import View


def parquet_part(path: Path, view: View) -> Part:
    """Return a file's columns, with the spans and nulls that its footer tells, and its first rows."""
    if loaded("pyarrow") is None:
        return Note("import pyarrow to see its columns")
    # A part of a package that the user has imported.
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        schema, footer = file.schema_arrow, file.metadata
        shown = schema.names[: view.limits.columns]
        # One column per leaf in the footer: nested ones don't line up with the schema's.
        is_flat = footer.num_columns == len(schema.names)
        columns = tuple(_column(schema, footer, i, is_flat) for i in range(len(shown)))
        batch: Any = next(file.iter_batches(view.limits.rows, columns=shown), None) if shown else None
        cells = [[cell_text(v, view) for v in column.to_pylist()] for column in batch.columns] if batch else []
        return Table(columns, tuple(zip(*cells, strict=True)), footer.num_rows, len(schema.names))


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
