"""JavaScript cells, run by Node."""

from __future__ import annotations

from flytenb.languages.language import Cell, CellPort, Language
from flytenb.languages.programs import check_program, literal, ports_text, prelude, refused_form, refused_name

_RESERVED = """
    abstract arguments await boolean break byte case catch char class const continue debugger default delete do
    double else enum eval export extends false final finally float for function goto if implements import in
    instanceof int interface let long native new null package private protected public return short static super
    switch synchronized this throw throws transient true try typeof undefined var void volatile while with yield
    async of NaN Infinity require module exports flytenbCell globalThis process console __proto__
"""


def _program(cell: Cell) -> str:
    call = f"main({literal(cell.code)}, {literal(ports_text(cell))});"
    return check_program(cell, f"(() => {{\n{prelude('prelude.js')}\n{call}\n}})();\n")


def _refuse(name: str, port: CellPort, is_input: bool) -> str:
    return refused_name(name, _RESERVED, "JavaScript") or refused_form(name, port, is_input)


LANGUAGE = Language(
    name="node",
    title="Node",
    image="node:20-slim",
    interpreter="node",
    command=lambda text: ["node", "-e", text],
    program=_program,
    refuse=_refuse,
    highlight="javascript",
    aliases=("javascript", "js", "nodejs"),
    has_categories=False,
    has_zones=False,
)
