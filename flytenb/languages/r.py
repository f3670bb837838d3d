"""R cells, run by Rscript."""

from __future__ import annotations

from flytenb.languages.language import Cell, CellPort, Language
from flytenb.languages.programs import check_program, literal, ports_text, prelude, refused_form, refused_name

_BOOT = (
    'if(!l10n_info()[[2]]){Sys.setenv(LC_ALL="C.UTF-8");invisible(Sys.setlocale("LC_ALL","C.UTF-8"))};'
    "eval(parse(text=commandArgs(TRUE)[1],keep.source=FALSE))"
)
"""R reads source in the encoding of its locale."""
_RESERVED = """
    if else repeat while function for next break TRUE FALSE NULL Inf NaN NA in NA_integer_ NA_real_ NA_complex_
    NA_character_
"""


def _program(cell: Cell) -> str:
    call = f"main({literal(cell.code)}, {literal(ports_text(cell))})"
    return check_program(cell, f"local({{\n{prelude('prelude.R')}\n{call}\n}}, new.env(parent = baseenv()))\n")


def _refuse(name: str, port: CellPort, is_input: bool) -> str:
    if name.startswith("_"):
        return f"{name!r} can't be a variable in R: expected a letter first"
    return refused_name(name, _RESERVED, "R") or refused_form(name, port, is_input)


LANGUAGE = Language(
    name="r",
    title="R",
    image="r-base:4.4.1",
    interpreter="Rscript",
    command=lambda text: ["Rscript", "-e", _BOOT, text],
    program=_program,
    refuse=_refuse,
    highlight="r",
    aliases=("rscript",),
)
