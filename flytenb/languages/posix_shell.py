"""Shell cells: POSIX sh; single values are variables, files and lists are paths."""

from __future__ import annotations

import re

from flytenb.languages.language import Cell, CellPort, Language
from flytenb.languages.programs import check_program, ports_text, prelude, refused_form, refused_name

_RESERVED = """
    _ IFS PATH HOME PWD OLDPWD ENV LINENO PPID OPTARG OPTIND OPTERR PS1 PS2 PS4 LANG LC_ALL UID EUID GROUPS SHELLOPTS
    RANDOM SECONDS HOSTNAME DIRSTACK EPOCHSECONDS EPOCHREALTIME FUNCNAME HISTCMD PIPESTATUS SRANDOM
"""
_TITLE = "a shell cell"


def _program(cell: Cell) -> str:
    # `printf %b` undoes the escapes. Kubernetes replaces `$$` and `$(NAME)` in a command, Flyte `{{.inputs.x}}`.
    code = re.sub(r"[\\$'{]", lambda found: f"\\0{ord(found[0]):03o}", cell.code)
    start = f"flytenb_code=$(printf %b '{code}')\nflytenb_ports='{ports_text(cell)}'\n"
    return check_program(cell, start + prelude("prelude.sh"))


def _refuse(name: str, port: CellPort, is_input: bool) -> str:
    if name.lower().startswith(("flytenb_", "bash")):
        return f"{name!r} is reserved in {_TITLE}: choose another name"
    return (
        refused_name(name, _RESERVED, _TITLE)
        or refused_form(name, port, is_input)
        or _refuse_shape(name, port, is_input)
    )


def _refuse_shape(name: str, port: CellPort, is_input: bool) -> str:
    *lists, last = port.shape.split(" ")
    if is_input and lists and last == "a":
        return f"{_TITLE} can't hold {name!r} of shape {port.shape!r}, whose items would be times: use a list of str"
    if is_input and not port.is_encoded:
        return ""
    if is_input or last not in ("bidsa" if lists else "bidsaTDfF") or set(lists) - {"l"} or len(lists) > 1:
        return (
            f"{_TITLE} can't hold {name!r} of shape {port.shape!r}: "
            "use bool, int, float, str, dates, files, directories, or a list of one of the first four"
        )
    return ""


LANGUAGE = Language(
    name="shell",
    title="Shell",
    image="busybox:1.36",
    interpreter="sh",
    command=lambda text: ["sh", "-c", text],
    program=_program,
    refuse=_refuse,
    highlight="shell",
    aliases=("sh", "posix"),
)
