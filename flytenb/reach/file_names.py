"""Relative file names that are written in code: two tasks that use one at the same time would mix their files up."""

from __future__ import annotations

import dis
import os
from collections.abc import Mapping
from itertools import pairwise
from pathlib import PurePath
from types import CodeType, MappingProxyType
from typing import Any

_READERS = frozenset(
    ["read_csv", "read_parquet", "read_json", "read_excel", "read_feather", "read_pickle", "loadtxt", "imread", "load"]
)
_WRITERS = frozenset(
    [
        "Path",
        "PurePath",
        "PosixPath",
        "FileHandler",
        "RotatingFileHandler",
        "connect",
        "FlyteFile",
        "FlyteDirectory",
        "ZipFile",
        "TarFile",
        "to_csv",
        "to_parquet",
        "to_json",
        "to_pickle",
        "to_excel",
        "to_feather",
        "to_hdf",
        "to_html",
        "write_csv",
        "write_parquet",
        "write_json",
        "savefig",
        "save",
        "savetxt",
        "savez",
        "imsave",
        "imwrite",
        "copy",
        "copyfile",
        "copytree",
        "move",
        "rename",
        "replace",
        "rmtree",
        "write_table",
        "write_image",
        "write_html",
    ]
)
_MOVERS = frozenset(["copy", "copyfile", "copytree", "move", "rename", "replace"])
_READING = frozenset(
    [
        "read_text",
        "read_bytes",
        "exists",
        "is_file",
        "is_dir",
        "iterdir",
        "glob",
        "rglob",
        "stat",
        "touch",
        "mkdir",
        "unlink",
    ]
)
"""Methods of a path that leave what a file holds as it is."""


def file_names(
    code: CodeType, scope: Mapping[str, Any], defaults: Mapping[str, Any] = MappingProxyType({})
) -> tuple[set[str], set[str]]:
    """Return the relative names that code reads, and those that it may write; code inside of it isn't looked at.

    A name is found where it is an argument of a call that takes files: as a text, as a local variable that is one, or
    as a global that is one; `defaults` are those of the code's parameters.
    """
    read: set[str] = set()
    written: set[str] = set()
    instructions = [
        i for i in dis.get_instructions(code) if i.opname not in ("CACHE", "EXTENDED_ARG", "PRECALL", "NOP")
    ]
    local = {name: {str(value)} for name, value in defaults.items() if isinstance(value, str | PurePath)}
    for before, instruction in pairwise(instructions):
        if instruction.opname in ("STORE_FAST", "STORE_DEREF") and (name := _name(before, {}, scope)) is not None:
            local.setdefault(instruction.argval, set()).update(name)
    callee = ""
    arguments: list[str] = []
    names: set[str] = set()
    for at, instruction in enumerate(instructions):
        opname = instruction.opname
        if opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_ATTR", "LOAD_METHOD"):
            found = _name(instruction, local, scope)
            if found is not None and callee:
                names |= found
            elif callee == "" and found is not None and isinstance(scope.get(instruction.argval), PurePath):
                # A path that is a global: the method that is called decides whether it is read or written.
                method = str(instructions[at + 1].argval) if at + 1 < len(instructions) else ""
                if not scope[instruction.argval].is_absolute():
                    (read if method in _READING else written).update(map(os.path.normpath, found))
            else:
                callee, arguments, names = str(instruction.argval), [], set()
        elif opname in ("LOAD_CONST", "LOAD_FAST", "LOAD_DEREF"):
            found = _name(instruction, local, scope)
            if arguments or names or found is None:
                arguments += found or [""]
            else:
                names |= found
        elif opname in ("BUILD_STRING", "FORMAT_VALUE", "BINARY_OP"):
            arguments, names = [""], set()
        elif opname.startswith("CALL") and opname != "CALL_INTRINSIC_1":
            following = instructions[at + 1] if at + 1 < len(instructions) else None
            if callee in _MOVERS:
                names = names | set(arguments)
            relative = {os.path.normpath(name) for name in names if name and not name.startswith("/")}
            if callee == "open":
                is_written = any(set(mode) & set("wax+") for mode in arguments if len(mode) <= 3)
                (written if is_written else read).update(relative)
            elif callee in _READERS or (
                callee in ("Path", "PurePath", "PosixPath") and following is not None and following.argval in _READING
            ):
                read |= relative
            elif callee in _WRITERS:
                written |= relative
            callee, arguments, names = "", [], set()
    return read - written, written


def _name(instruction: dis.Instruction, local: Mapping[str, set[str]], scope: Mapping[str, Any]) -> set[str] | None:
    """Return the texts that an instruction loads, None if it loads something else."""
    value = instruction.argval
    if instruction.opname == "LOAD_CONST":
        return {value} if type(value) is str else None
    if instruction.opname in ("LOAD_FAST", "LOAD_DEREF"):
        return local.get(value)
    if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
        found = scope.get(value)
        return {str(found)} if isinstance(found, str | PurePath) else None
    return None
