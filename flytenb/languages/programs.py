"""Parts of programs that all languages share: literals, the list of ports, preludes, refused names, the length."""

from __future__ import annotations

import json
import re
from importlib.resources import files

from flytenb.errors import DefinitionError
from flytenb.languages.language import Cell, CellPort
from flytenb.languages.shape_notation import read_shape
from flytenb.wording.quantities import bytes_text

LONGEST = 128 * 1024 - 1
"""Bytes of one word of a command on Linux (`MAX_ARG_STRLEN`, without the last zero)."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def prelude(file_name: str) -> str:
    """Return the text of a prelude."""
    return (files("flytenb.languages") / "preludes" / file_name).read_text(encoding="utf-8")


def literal(text: str) -> str:
    r"""Return a string literal that is the same in Python, R, Julia and JavaScript.

    It has no `$` and no `{{`: Kubernetes replaces `$(NAME)` and `$$` in a command, Flyte `{{.inputs.x}}`.
    """
    quoted = json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
    return quoted.replace("$", "\\u0024").replace("{{", "{\\u007b")


def ports_text(cell: Cell) -> str:
    """Return a line `in|out direct|lines NAME SHAPE` for each port."""
    sides = (("in", cell.inputs), ("out", cell.outputs))
    lines = (
        f"{side} {'lines' if port.is_encoded else 'direct'} {name} {port.shape}\n"
        for side, ports in sides
        for name, port in ports.items()
    )
    return "".join(lines)


def check_program(cell: Cell, text: str) -> str:
    """Return the text of a cell's program if it can be a word of a command.

    Raises:
        DefinitionError: if it can't.
    """
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise DefinitionError(f"expected a cell of Unicode text, got {error.object[error.start]!r} in it") from None
    if "\0" in cell.code:
        raise DefinitionError("expected a cell without NUL characters, got one that has some")
    if size > LONGEST:
        raise DefinitionError(
            f"expected a program of at most {bytes_text(LONGEST)}, got one of {bytes_text(size)}",
            "pass long texts as an input, or put code in a file of the image",
        )
    return text


def refused_name(name: str, reserved: str, title: str) -> str:
    """Return why a name can't be that of a variable, `""` if it can; `reserved` has words."""
    if not _NAME.fullmatch(name):
        return f"{name!r} can't be a variable in {title}: expected ASCII letters, digits and underscores"
    return f"{name!r} is reserved in {title}: choose another name" if name in reserved.split() else ""


def refused_form(name: str, port: CellPort, is_input: bool) -> str:
    """Return why a port's shape can't have its form, `""` if it can."""
    direct = "bidsTDalfF" if is_input else "bidTDfF"
    wrong = [tag for tag in tags_of(port.shape) if (tag in "fF" if port.is_encoded else tag not in direct)]
    form = "lines" if port.is_encoded else "a direct file"
    return f"{name!r} of shape {port.shape!r} can't be {form}, because of {wrong[0]!r}" if wrong else ""


def tags_of(shape: str) -> list[str]:
    """Return the tags of a shape and of all its parts."""
    waiting, found = [read_shape(shape)], []
    while waiting:
        one = waiting.pop()
        found.append(one.tag)
        waiting += one.parts
    return found
