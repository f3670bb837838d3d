"""Python cells: their program contains the modules of the lines format and `preludes/prelude.py`."""

from __future__ import annotations

import inspect
import keyword
import re
from functools import cache
from types import ModuleType

from flytenb.languages import lines, scalar_lines, shape_notation, tables
from flytenb.languages.language import Cell, CellPort, Language
from flytenb.languages.preludes import prelude
from flytenb.languages.programs import check_program, literal, ports_text, refused_form, refused_name

_EMBEDDED: tuple[ModuleType, ...] = (tables, shape_notation, scalar_lines, lines, prelude)


@cache
def _prelude() -> str:
    """Return the embedded modules as one, without their imports of each other."""
    sources = "\n".join(map(inspect.getsource, _EMBEDDED))
    future = "from __future__ import annotations\n"
    own_imports = re.compile(r"^from (__future__|flytenb)\S* import (\([^)]*\)|[^\n(]*)\n", re.MULTILINE)
    return future + own_imports.sub("", sources)


def _program(cell: Cell) -> str:
    start = f'exec({literal(_prelude())}, names := {{"__name__": "flytenb_cell"}})'
    return check_program(cell, f'{start}\nnames["main"]({literal(cell.code)}, {literal(ports_text(cell))})\n')


def _refuse(name: str, port: CellPort, is_input: bool) -> str:
    return refused_name(name, " ".join((*keyword.kwlist, "__debug__")), "Python") or refused_form(name, port, is_input)


LANGUAGE = Language(
    name="python",
    title="Python",
    image="python:3.12-slim",
    interpreter="python3",
    command=lambda text: ["python3", "-c", text],
    program=_program,
    refuse=_refuse,
    highlight="python",
    aliases=("python3", "py"),
)
