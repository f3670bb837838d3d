"""Julia cells."""

from __future__ import annotations

from flytenb.languages.language import Cell, CellPort, Language
from flytenb.languages.programs import check_program, literal, ports_text, prelude, refused_form, refused_name

_BOOT = 'include_string(Main, ARGS[1], "flytenb")'
_RESERVED = """
    baremodule begin break catch const continue do else elseif end export false finally for function global if
    import let local macro module quote return struct true try using while in isa where Main Base Core ans
    FlytenbCell include eval ARGS Module cglobal include_string
    isempty
"""


def _program(cell: Cell) -> str:
    call = f"FlytenbCell.main({literal(cell.code)}, {literal(ports_text(cell))})"
    return check_program(cell, f"module FlytenbCell\n{prelude('prelude.jl')}\nend\n{call}\n")


def _refuse(name: str, port: CellPort, is_input: bool) -> str:
    return refused_name(name, _RESERVED, "Julia") or refused_form(name, port, is_input)


LANGUAGE = Language(
    name="julia",
    title="Julia",
    image="julia:1.10",
    interpreter="julia",
    command=lambda text: ["julia", "-e", _BOOT, text],
    program=_program,
    refuse=_refuse,
    highlight="julia",
    aliases=("jl",),
    has_categories=False,
    has_zones=False,
)
