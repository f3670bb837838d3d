"""Display of a StructuredDataset: its frame if it holds one, else its schema and location."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flytenb.display.part import Facts, Group, Note, Part, Section, Table
from flytenb.display.registry import BUILT_IN
from flytenb.display.values.parquet import parquet_part
from flytenb.display.view import View
from flytenb.wording.types import type_text

register = BUILT_IN.register


@register("flytekit.types.structured.structured_dataset.StructuredDataset")
def show_dataset(value: Any, view: View) -> Part:
    """Show a dataset's frame, or the head of its Parquet file if it is local; nothing is downloaded."""
    from flytenb.bridge.type_engine.stored_values import read_dataset

    dataset = read_dataset(value)
    facts = [("uri", dataset.uri)] if dataset.uri else []
    if dataset.format:
        facts.append(("format", dataset.format))
    parts: list[Part] = [Facts(tuple(facts))] if facts else []
    if dataset.frame is not None:
        parts.append(view.show(dataset.frame))
    elif dataset.local is not None:
        parts.append(_local(dataset.local, view))
    else:
        if dataset.columns:
            rows = dataset.columns[: view.limits.items]
            parts.append(Table(("column", "type"), rows, len(dataset.columns)))
        parts.append(Note("not downloaded" if dataset.uri else "it holds no frame"))
    return Section(type_text(type(value)), (), Group(tuple(parts)))


def _local(path: Path, view: View) -> Part:
    """Return the head of the first file; flytekit writes one file per dataset, Spark several."""
    files = [path] if path.is_file() else sorted(p for p in path.glob("*") if p.is_file() and p.name[0] not in "._")
    if not files:
        return Note("empty")
    part = parquet_part(files[0], view)
    return Group((part, Note(f"the first of {len(files):,} files"))) if len(files) > 1 else part
