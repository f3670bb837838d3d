"""Displays of queries: their columns where these are known already; never their rows, for which they must run."""

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
_NOT_RUN = "not collected: looking at its rows would run it"
_PATIENCE = 3.0
"""Seconds that a query has to tell its columns to a reader who asks."""


@register("pyarrow.dataset.Dataset")
@register("pyarrow.RecordBatchReader")
def show_arrow_source(value: Any, view: View) -> Part:
    """Show the columns of something that Arrow would read."""
    return _columns(class_name(value), ((f.name, str(f.type)) for f in value.schema), len(value.schema.names), view)


@register("duckdb.DuckDBPyRelation")
def show_relation(value: Any, view: View) -> Part:
    """Show the columns of a query, which DuckDB knows from when it was written."""
    names, types = value.columns, value.types
    return _columns(class_name(value), ((n, str(t)) for n, t in zip(names, types, strict=True)), len(names), view)


@register("polars.LazyFrame")
def show_lazy(value: Any, view: View) -> Part:
    """Name a query; its columns are told to who asks: finding out may read files elsewhere and run functions in it."""
    return Section(class_name(value), (), _asked(lambda: value.collect_schema().items(), view))


@register("dask.dataframe.DataFrame")
@register("pyspark.sql.DataFrame")
@register("ibis.expr.types.Table")
def show_query(value: Any, view: View) -> Part:
    """Name a query that looking at would run."""
    return Section(class_name(value), (), Note(_NOT_RUN))


def _columns(title: str, columns: Iterable[tuple[str, str]], total: int, view: View) -> Part:
    tree = _tree(tuple(columns), view)
    return Section(title, (count_text(total, "column"),), Group((tree, Note(_NOT_RUN))) if total else Note(_NOT_RUN))


def _tree(columns: Sequence[tuple[str, str]], view: View) -> Tree:
    start, stop = view.page(len(columns), view.limits.items)
    window = view.window(len(columns), size=view.limits.items)
    return Tree(tuple(Entry(n, t) for n, t in columns[start:stop]), len(columns), window)


def _asked(ask: Callable[[], Iterable[tuple[str, Any]]], view: View) -> Part:
    """Return a line that, opened, asks for the columns."""
    if view.selections is None:
        return Note(f"{_NOT_RUN}; .collect_schema() tells its columns")
    there = view.inside("columns")
    if not there.selection.is_open:
        return Group((Note(_NOT_RUN), Tree((Entry("columns", "", "ask for them", place=there.place),))))
    try:
        found = wait_for(lambda: [(str(n), str(t)) for n, t in ask()], _PATIENCE)
    except Exception as error:
        inside: Part = Note(f"it doesn't say: {brief(error, 160)}")
    else:
        inside = _tree(found, there)
    return Group((Note(_NOT_RUN), Tree((Entry("columns", inside=inside, place=there.place),))))
