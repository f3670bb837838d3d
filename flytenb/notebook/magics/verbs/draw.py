"""`%flyte draw`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flytenb.notebook.magics.arguments import ENTITY_OR_RUN, names_in, nodes, read_count
from flytenb.notebook.magics.cursor import Cursor
from flytenb.notebook.magics.invocation import Invocation
from flytenb.notebook.magics.verb import Option, Verb

SUFFIXES = (".svg", ".png", ".dot", ".html", ".mmd", ".txt")
"""The formats of `Drawing.save`, listed here so that help and Tab don't import the drawing."""


def _draw(line: Invocation) -> Any:
    from flytenb import api

    options = dict(line.options)
    file = options.pop("save", None)
    if "style" in options:
        options["style"] = line.evaluate(options["style"])
    drawing = api.draw(line.entity(), **options)
    if file is not None:
        drawing.save(file)
    return drawing


def _files(cursor: Cursor) -> Iterable[str]:
    """Return a file name of each format, after the entity that the line names."""
    stems = [name for name in names_in(cursor.rest) if cursor.names.entity(name) is not None] or ["drawing"]
    return [f"{stems[0].rpartition('.')[2]}{suffix}" for suffix in SUFFIXES]


VERB = Verb(
    name="draw",
    summary="Draw an entity or a run, or a part of it.",
    handler=_draw,
    argument=ENTITY_OR_RUN,
    options=(
        Option("upstream", "only this node and what it depends on", ("NODE",), complete=nodes, kind="node"),
        Option("downstream", "only this node and what depends on it", ("NODE",), complete=nodes, kind="node"),
        Option("between", "only the paths from one node to another", ("NODE", "NODE"), complete=nodes, kind="node"),
        Option(
            "depth",
            "how many levels of subworkflows are open",
            ("N",),
            read=read_count,
            complete=lambda cursor: ("0", "1", "2", "3"),
        ),
        Option(
            "style",
            "a function of this notebook that gets a node and returns a NodeStyle or None",
            ("FUNCTION",),
            complete=lambda cursor: cursor.names.functions(),
            kind="function",
        ),
        Option(
            "save",
            f"write the drawing to a file: {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}; also -o FILE",
            ("FILE",),
            complete=_files,
            kind="file",
            short="o",
        ),
    ),
    details="NODE is the path of a node or the name of its task.",
)
