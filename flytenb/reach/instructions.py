"""Instructions of code objects, and what the interpreter has to know of them."""

from __future__ import annotations

import dis
from collections.abc import Mapping
from functools import lru_cache
from types import CodeType

_SILENT = frozenset(["CACHE", "EXTENDED_ARG", "NOP", "RESUME", "PRECALL", "COPY_FREE_VARS", "MAKE_CELL"])
LEAVING = frozenset(["RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE", "JUMP_FORWARD", "JUMP_BACKWARD",
                     "JUMP_BACKWARD_NO_INTERRUPT"])  # fmt: skip
IN_PLACE = 13
"""`BINARY_OP` from here on: `+=`, `|=`, …"""
ADD, DIVIDE = (0, IN_PLACE), (11, 24)


@lru_cache(maxsize=4096)
def instructions_of(code: CodeType) -> tuple[tuple[dis.Instruction, ...], Mapping[int, int]]:
    """Return the instructions of a code object, and the stack depth at the start of each exception handler."""
    handlers = {e.target: e.depth + e.lasti + 1 for e in dis.Bytecode(code).exception_entries}  # type: ignore[attr-defined]
    return tuple(i for i in dis.get_instructions(code) if i.opname not in _SILENT), handlers


def has_method_flag(instruction: dis.Instruction) -> bool:
    """Tell whether a loaded attribute is about to be called as a method."""
    return "LOAD_METHOD" not in dis.opmap and bool((instruction.arg or 0) & 1)
