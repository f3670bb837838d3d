"""Displays of queries: their columns where they are known without running the query, never their rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from flytenb.display.deadline import wait_for
from flytenb.display.part import Entry, Group, Note, Part, Section, Tree
from flytenb.display.registry import BUILT_IN
from flytenb.display.view import View
from flytenb.wording.quantities import count_text
from flytenb.wording.values import brief, class_name

register = BUILT_IN.register
_NOT_RUN = "not collected: showing rows would run it"
_PATIENCE = 3.0
"""Seconds for reading a query's columns."""


@register("pyarrow.dataset.Dataset")
@register("pyarrow.RecordBatchReader")
def show_arrow_source(value: Any, view: View) -> Part:
    """Show the columns of an Arrow dataset or scanner."""
    return _columns(class_name(value), ((f.name, str(f.type)) for f in value.schema), len(value.schema.names), view)


@register("duckdb.DuckDBPyRelation")
def show_relation(value: Any, view: View) -> Part:
    """Show the columns of a DuckDB query, which are known when it is created."""
    names, types = value.columns, value.types
    return _columns(class_name(value), ((n, str(t)) for n, t in zip(names, types, strict=True)), len(names), view)


@register("polars.LazyFrame")
def show_lazy(value: Any, view: View) -> Part:
    """Show a query; its columns are read when the entry is opened, since that may read files and run functions."""
    return Section(class_name(value), (), _asked(lambda: value.collect_schema().items(), view))


@register("dask.dataframe.DataFrame")
@register("pyspark.sql.DataFrame")
@register("ibis.expr.types.Table")
def show_query(value: Any, view: View) -> Part:
    """Name a query that can't be inspected without running it."""
    return Section(class_name(value), (), Note(_NOT_RUN))


def _columns(title: str, columns: Iterable[tuple[str, str]], total: int, view: View) -> Part:
    tree = _tree(tuple(columns), view)
    return Section(title, (count_text(total, "column"),), Group((tree, Note(_NOT_RUN))) if total else Note(_NOT_RUN))


def _tree(columns: Sequence[tuple[str, str]], view: View) -> Tree:
    start, stop = view.page(len(columns), view.limits.items)
    window = view.window(len(columns), size=view.limits.items)
    return Tree(tuple(Entry(n, t) for n, t in columns[start:stop]), len(columns), window)


def _asked(ask: Callable[[], Iterable[tuple[str, Any]]], view: View) -> Part:
    """Return an entry that reads the columns when opened."""
    if not view.is_interactive:
        return Note(f"{_NOT_RUN}; .collect_schema() returns its columns")
    there = view.inside("columns")
    if not there.selection.is_open:
        return Group((Note(_NOT_RUN), Tree((Entry("columns", "", "ask for them", place=there.place),))))
    try:
        found = wait_for(lambda: [(str(n), str(t)) for n, t in ask()], _PATIENCE)
    except Exception as error:
        inside: Part = Note(f"the request failed: {brief(error, 160)}")
    else:
        inside = _tree(found, there)
    return Group((Note(_NOT_RUN), Tree((Entry("columns", inside=inside, place=there.place),))))
