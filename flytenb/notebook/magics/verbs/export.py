"""`%flyte export`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flytenb.notebook.magics.arguments import ENTITIES, names_in
from flytenb.notebook.magics.cursor import Cursor
from flytenb.notebook.magics.invocation import Invocation
from flytenb.notebook.magics.verb import Option, Verb


def _export(line: Invocation) -> Any:
    from flytenb import api

    return api.export(line.entity() if line.argument else None, line.options.get("save"))


def _files(cursor: Cursor) -> Iterable[str]:
    stems = [name for name in names_in(cursor.rest) if cursor.names.entity(name) is not None] or ["pipeline"]
    return [f"{stems[0].rpartition('.')[2]}.py"]


VERB = Verb(
    name="export",
    summary="Write an entity and all that it reaches as a Python module.",
    handler=_export,
    argument=ENTITIES,
    options=(
        Option(
            "save",
            "write a .py, .md or .ipynb file, or a folder/ with a project; also -o FILE",
            ("FILE",),
            complete=_files,
            kind="file",
            short="o",
        ),
    ),
    details="The module holds imports, types, constants, helpers, tasks and workflows in a valid order, and nothing "
    "else of the notebook. What exists in the kernel only is refused. Without a name, all that the cells define. "
    "Several entities: `%flyte export [one, two]`.",
)
