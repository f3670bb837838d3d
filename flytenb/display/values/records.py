"""Displays of dataclasses, pydantic models, attrs classes and named tuples; lists of them as tables."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from flytenb.display.part import Column, Null, Part, Section, Table, Tree
from flytenb.display.registry import BUILT_IN
from flytenb.display.selection import sorted_rows
from flytenb.display.statistics import column_summary
from flytenb.display.values.row_selection import select_rows
from flytenb.display.view import View
from flytenb.wording.packages import loaded
from flytenb.wording.quantities import first_text, number_text
from flytenb.wording.types import field_types, type_text
from flytenb.wording.values import brief, class_name

register = BUILT_IN.register


class _Missing:
    """Marks a field that was never set."""

    def __repr__(self) -> str:
        return "<not set>"


_MISSING = _Missing()
_SUMMARY_ROWS = 10_000
_NULLS = frozenset({"NAType", "NaTType"})
"""Classes of pandas whose only value is a missing one."""
_MIDNIGHT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} 00:00:00")


def field_names(value: Any) -> tuple[str, ...]:
    """Return the names of a record's fields, `()` if it isn't a record."""
    cls = type(value)
    if dataclasses.is_dataclass(cls):
        return tuple(f.name for f in dataclasses.fields(cls))
    if isinstance(value, tuple):
        fields = getattr(cls, "_fields", ())
        return tuple(fields) if isinstance(fields, tuple) and len(fields) == tuple.__len__(value) else ()
    attrs = cls.__dict__.get("__attrs_attrs__")
    if isinstance(attrs, tuple):
        return tuple(a.name for a in attrs)
    pydantic = loaded("pydantic")
    if pydantic is not None and isinstance(value, pydantic.BaseModel):
        return tuple(cls.model_fields)
    return ()


@register(lambda value: bool(field_names(value)) or dataclasses.is_dataclass(type(value)))
def show_record(value: Any, view: View) -> Part:
    """Show a record as a tree of its fields with their declared types."""
    declared = field_types(type(value))
    names = field_names(value)
    entries = view.entries((name, _field(value, name), declared.get(name)) for name in names)
    title = type_text(view.declared) if view.declared is not None else class_name(value)
    return Section(title, (), Tree(entries, len(names)))


def records_table(items: list[Any], total: int, view: View, every: Sequence[Any]) -> Part | None:
    """Return a table of similar records, `None` if the items aren't.

    Args:
        items: the first items of the list, at least one.
        total: number of items.
        view: the context.
        every: the whole list, for paging.
    """
    first = items[0]
    if all(isinstance(v, dict) and v and all(isinstance(k, str) for k in v) for v in items):
        return _dicts_table(items, total, view, every)
    cls = type(first)
    names = field_names(first)
    if not names or any(type(v) is not cls for v in items) or len(items) < 2:
        return None
    types = field_types(cls)
    return _table(_Rows(every, names, _field), items, lambda n, _: type_text(types[n]) if n in types else "", view)


def scalars_table(every: Sequence[Any], view: View) -> Part:
    """Return scalars as a table of one column, with paging, sorting and searching."""
    return _table(_Rows(every, ("value",), lambda item, _: item), [], lambda *_: "", view)


def csv_table(names: list[str], lines: list[list[str]], view: View) -> Part:
    """Return lines of text cells as a table, with paging, sorting and searching; numbers sort as numbers."""
    keys = [str(i) for i in range(len(names))]
    made = _table(_Lines(lines, keys, _cell), lines, lambda *_: "", view)
    columns = tuple(c if not c.is_own else replace(c, name=names[int(c.name)]) for c in made.columns)
    return replace(made, columns=columns)


def _cell(line: list[str], key: str) -> Any:
    # Shown as text: 007 may not be a number.
    return line[int(key)] if int(key) < len(line) else _MISSING


def _number(cell: Any) -> Any:
    if not isinstance(cell, str) or not cell:
        return None
    try:
        return float(cell)
    except ValueError:
        return cell


def _dicts_table(items: list[dict[str, Any]], total: int, view: View, every: Sequence[Any]) -> Part | None:
    names = list(dict.fromkeys(k for item in islice(items, _SUMMARY_ROWS) for k in item))
    # Dicts with few common keys are shown as a list of dicts.
    filled = sum(len(item) for item in items[:_SUMMARY_ROWS])
    if len(items) < 2 or filled * 2 < len(names) * len(items[:_SUMMARY_ROWS]):
        return None
    return _table(_Rows(every, names, _entry), items, lambda _, column: _common_type(column), view)


@dataclass(frozen=True)
class _Rows:
    """Similar items as a table: its column names, and how an item's cell is read."""

    every: Sequence[Any]
    names: Sequence[str]
    read: Callable[[Any, str], Any]

    def column(self, name: str, start: int = 0, stop: int | None = None) -> list[Any]:
        return [self.read(item, name) for item in islice(self.every, start, stop)]

    def order(self, key: int, *, is_descending: bool) -> Sequence[int]:
        keys = [None if v is _MISSING else v for v in self.column(self.names[key])]
        return sorted_rows(keys, is_descending=is_descending)

    def words(self, start: int, stop: int) -> Iterator[list[str]]:
        for name in self.names:
            yield [v if type(v) is str else brief(v) for v in self.column(name, start, stop)]


class _Lines(_Rows):
    """Lines of text cells; columns of numbers sort as numbers."""

    def order(self, key: int, *, is_descending: bool) -> Sequence[int]:
        keys = [_number(cell) for cell in self.column(self.names[key])]
        return sorted_rows(keys, is_descending=is_descending)


def _table(rows: _Rows, items: list[Any], head: Callable[[str, list[Any]], str], view: View) -> Table:
    total, width = len(rows.every), len(rows.names)
    left, right = view.columns(width)
    names = rows.names[left:right]
    made = []
    for key, name in enumerate(names, left):
        known = [None if v is _MISSING else v for v in (rows.read(item, name) for item in items[:_SUMMARY_ROWS])]
        summary = column_summary(known)
        summary += first_text(_SUMMARY_ROWS, total) if summary else ""
        made.append(Column(name, head(name, known), summary, is_number_column(known), key))
    if not view.is_interactive:
        shown = [[cell_text(rows.read(item, n), view) for n in names] for item in items[: view.limits.rows]]
        return Table(tuple(made), shown, total, width)
    page = select_rows(total, width, rows, view)
    numbers = range(page.rows.start, page.rows.stop) if isinstance(page.rows, slice) else page.rows
    cells = [[str(i), *(cell_text(rows.read(rows.every[i], n), view) for n in names)] for i in numbers]
    return Table((Column("", is_number=True, is_own=False), *made), cells, total, width + 1, page.window)


def _entry(item: Any, name: str) -> Any:
    # Only the first items are known to be dicts.
    return item.get(name, _MISSING) if isinstance(item, dict) else _MISSING


def is_number_column(values: list[Any]) -> bool:
    """Whether all known values of a column are numbers, which are right-aligned."""
    known = [v for v in values if v is not None]
    return bool(known) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in known)


def cell_text(value: Any, view: View) -> str:
    """Return a cell as text: text without quotes, numbers to six digits, nothing for a missing field."""
    if value is _MISSING:
        return ""
    if type(value) is str:
        return value[: view.limits.cell * 4]
    if value is None or type(value).__name__ in _NULLS or (type(value) is float and value != value):
        return Null(str(value))
    if type(value) is complex:
        return f"{value:.6g}"
    return number_text(value) if type(value) is float else view.brief(value)


def column_cells(values: Iterable[Any], view: View) -> list[str]:
    """Return the cells of a column; times of day are left out if all of them are midnight."""
    cells = [cell_text(value, view) for value in values]
    if all(type(cell) is Null or _MIDNIGHT.fullmatch(cell) for cell in cells):
        return [cell if type(cell) is Null else cell[:10] for cell in cells]
    return cells


def _field(value: Any, name: str) -> Any:
    try:
        return getattr(value, name)
    except Exception:
        # A slot that was never set, or a property that raises.
        return _MISSING


def _common_type(column: list[Any]) -> str:
    kinds = {class_name(v) for v in column if v is not None and v is not _MISSING}
    return kinds.pop() if len(kinds) == 1 else ""
