"""The commands that answer without running an entity: `draw`, `export`, `check`, `types`, `import`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rich_click as click

from flytenb import api
from flytenb.bridge.entities.source import input_types, output_types
from flytenb.cli.reply import ALL_CELLS, JSON, NOTEBOOK, Reply, missing_name, opened
from flytenb.cli.verb_options import given_options, options_of, terminal_text
from flytenb.errors import SaveError, UsageError
from flytenb.notebook.headless import HeadlessNotebook
from flytenb.notebook.magics.verbs import VERBS
from flytenb.ship.module_cells import NOTEBOOKS, cells_of_module, read_module
from flytenb.wording.quantities import count_text
from flytenb.wording.types import type_text

Reader = Callable[[Any, dict[str, Any]], Reply]
"""Returns the answer for a verb's result and its options."""


def _command(name: str, read: Reader, *, takes_all: bool = False) -> click.Command:
    """Return the command of a verb on entities.

    Args:
        name: of the verb.
        read: returns the answer.
        takes_all: whether it takes several entities, and all of the notebook if none is named.
    """
    verb = VERBS[name]

    def run(notebook: Path, entity: Any, as_json: bool, all_cells: bool, **options: Any) -> int:
        names = list(entity) if takes_all else [entity] if entity else []
        with opened(notebook) as cells:
            if not names and not takes_all:
                raise missing_name(cells, f"flytenb {name} NOTEBOOK ENTITY")
            cells.define(names, everything=all_cells)
            chosen = names or _defined(cells)
            if not chosen:
                raise missing_name(cells, f"flytenb {name} NOTEBOOK ENTITY")
            given = given_options(options)
            argument = chosen[0] if len(chosen) == 1 else f"[{', '.join(chosen)}]"
            return read(cells.invoke(name, argument, given), given).write(as_json=as_json)

    word = "[ENTITY]..." if takes_all else "ENTITY"
    entity = click.Argument(["entity"], required=False, nargs=-1 if takes_all else 1, metavar=word)
    return click.RichCommand(
        name=name,
        callback=run,
        params=[*options_of(verb), JSON, ALL_CELLS, NOTEBOOK, entity],
        help=f"{verb.summary}\n\n{terminal_text(verb.details)}",
    )


def _defined(notebook: HeadlessNotebook) -> list[str]:
    return [name for name in notebook.entities if name in notebook.session.definitions]


def _drawn(drawing: Any, options: dict[str, Any]) -> Reply:
    file = options.get("save")
    return Reply(f"wrote {file}" if file else drawing.text, {"file": file, **json.loads(drawing.graph.to_json())})


def _exported(module: Any, options: dict[str, Any]) -> Reply:
    file = options.get("save")
    data = {"file": file, "entities": module.names, "modules": module.modules, "text": module.text}
    return Reply(f"wrote {file}" if file else module.text.rstrip("\n"), data)


def _checked(preflight: Any, options: dict[str, Any]) -> Reply:
    findings = [
        {"severity": f.severity, "what": f.what, "where": f.where, "way_out": f.way_out} for f in preflight.findings
    ]
    data = {"entities": preflight.name.split(", "), "ok": preflight.ok, "findings": findings}
    data |= {} if preflight.executed is None else {"executed": list(preflight.executed)}
    return Reply(repr(preflight), data, preflight.ok)


# --- types -----------------------------------------------------------------------------------------------------------


def _types(notebook: Path, type_: str | None, as_json: bool, all_cells: bool) -> int:
    with opened(notebook) as cells:
        cells.define([type_] if type_ else (), everything=all_cells)
        found: list[tuple[Any, list[str]]] = [(cells.evaluate(type_), [])] if type_ else _types_of(cells)
        lenses = [(api.lens(declared), users) for declared, users in found]
        text = repr(lenses[0][0]) if type_ else _table(lenses)
        data = [_facts(lens) | {"used_by": users} for lens, users in lenses]
        return Reply(text, {"types": data}, not any(lens.refusal for lens, _ in lenses)).write(as_json=as_json)


def _types_of(notebook: HeadlessNotebook) -> list[tuple[Any, list[str]]]:
    """Return the types of the inputs and outputs of all entities, each once, with the places that use it."""
    found: dict[str, tuple[Any, list[str]]] = {}
    for name in _defined(notebook):
        entity = notebook.session.definitions[name].entity
        for types in (input_types(entity), output_types(entity)):
            for port, declared in types.items():
                found.setdefault(type_text(declared), (declared, []))[1].append(f"{name}.{port}")
    return list(found.values())


def _facts(lens: Any) -> dict[str, Any]:
    return {
        "type": lens.type,
        "transformer": lens.lookup.transformer,
        "literal_type": lens.literal_type,
        "warnings": list(lens.warnings),
        "refusal": lens.refusal,
    }


def _table(lenses: list[tuple[Any, list[str]]]) -> str:
    rows = [("type", "transformer", "literal type")]
    rows += [(lens.type, lens.lookup.transformer, lens.literal_type or f"none: {lens.refusal}") for lens, _ in lenses]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    lines = [f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}" for row in rows]
    notes = [f"{lens.type}: {warning}" for lens, _ in lenses for warning in lens.warnings]
    return "\n".join([*lines, *notes, count_text(len(lenses), "type")])


# --- import ----------------------------------------------------------------------------------------------------------


def _import(module: Path, save: Path | None, as_json: bool) -> int:
    file = save or module.with_suffix(".ipynb")
    render = NOTEBOOKS.get(file.suffix)
    if render is None:
        raise UsageError(f"can't write a notebook as {file.name!r}", hint=f"use one of {', '.join(NOTEBOOKS)}")
    try:
        cells = cells_of_module(read_module(module.read_bytes()), _package_of(module))
    except OSError as e:
        raise UsageError(f"can't read {str(module)!r}: {e.strerror}", hint="give the path of a module") from None
    except (SyntaxError, ValueError) as e:
        raise UsageError(f"{str(module)!r} isn't a Python module: {e}", hint="expected Python code") from None
    try:
        with file.open("x", encoding="utf-8", newline="\n") as opened_file:
            opened_file.write(render(["%load_ext flytenb", *cells]))
    except OSError as e:
        raise SaveError(f"can't write {str(file)!r}: {e.strerror}", hint="give the path of a new file") from None
    return Reply(f"wrote {file}", {"file": str(file), "cells": len(cells) + 1}).write(as_json=as_json)


def _package_of(module: Path) -> str:
    """Return the package that a file is in, `""` for none."""
    folders = []
    for folder in module.resolve().parents:
        if not (folder / "__init__.py").is_file():
            break
        folders.append(folder.name)
    return ".".join(reversed(folders))


IMPORT = click.RichCommand(
    name="import",
    callback=_import,
    params=[
        click.Option(
            ["--save", "-o"], type=click.Path(path_type=Path), metavar="FILE", help="The notebook: .ipynb or .md."
        ),
        JSON,
        click.Argument(["module"], type=click.Path(path_type=Path), metavar="MODULE"),
    ],
    help="Write a Python module as a notebook: a cell for each definition and each paragraph of other statements.\n\n"
    "Nothing is executed, and no existing file is replaced.",
)
TYPES = click.RichCommand(
    name="types",
    callback=_types,
    params=[JSON, ALL_CELLS, NOTEBOOK, click.Argument(["type_"], required=False, metavar="[TYPE]")],
    help="List how Flyte handles the types of a notebook's entities, or describe one type.",
)
DRAW = _command("draw", _drawn)
EXPORT = _command("export", _exported, takes_all=True)
CHECK = _command("check", _checked, takes_all=True)
