"""Detection of texts that code builds from parts and that may be paths."""

from __future__ import annotations

import dis
from functools import lru_cache
from types import CodeType

_METHODS = frozenset(
    ["format", "replace", "joinpath", "with_suffix", "with_name", "with_stem", "removesuffix", "lower"]
)
_SILENT = frozenset(["CACHE", "EXTENDED_ARG", "NOP", "PRECALL", "RESUME"])
_LOADS = frozenset(["LOAD_CONST", "LOAD_GLOBAL", "LOAD_NAME", "LOAD_FAST", "LOAD_DEREF", "LOAD_FAST_CHECK"])
_LOGGING = frozenset(["print", "debug", "info", "warning", "error", "exception", "log", "warn"])


@lru_cache(maxsize=4096)
def builds_paths(code: CodeType) -> bool:
    """Return whether code builds texts that may be paths: by `+`, `%`, `/`, `join`, a method, or an f-string.

    A text that is only raised, printed or logged isn't one. Joining a constant to something makes no other path than
    `variables_and_files.Paths` tries.
    """
    instructions = [i for i in dis.get_instructions(code) if i.opname not in _SILENT]
    if any(_builds(instructions, at) for at in range(len(instructions))):
        return True
    return any(builds_paths(inner) for inner in code.co_consts if isinstance(inner, CodeType))


def _builds(instructions: list[dis.Instruction], at: int) -> bool:
    instruction = instructions[at]
    if instruction.opname == "BINARY_OP":
        return _joins(instructions, at)
    if instruction.opname in ("BUILD_STRING", "FORMAT_VALUE"):
        following = instructions[at + 1 : at + 2]
        return not following or (following[0].opname != "BUILD_STRING" and not _is_only_shown(instructions, at))
    if instruction.opname in ("LOAD_ATTR", "LOAD_METHOD"):
        if instruction.argval == "join":
            arguments = _arguments(instructions, at + 1)
            return arguments is None or any(
                i.opname != "LOAD_CONST" and "GLOBAL" not in i.opname for i in arguments[1:]
            )
        return instruction.argval in _METHODS and not _is_only_shown(instructions, at + 1)
    return False


def _joins(instructions: list[dis.Instruction], at: int) -> bool:
    sign = instructions[at].argrepr.rstrip("=")
    last, first = instructions[at - 1], instructions[at - 2]
    if sign == "/":
        return last.opname not in ("LOAD_CONST", "LOAD_GLOBAL") and not _is_number(last) and not _is_number(first)
    if sign == "%":
        return first.opname == "LOAD_CONST" and not _is_number(first) and not _is_only_shown(instructions, at)
    return sign == "+" and not _is_number(last) and not _is_number(first) and not _is_only_shown(instructions, at)


def _is_number(instruction: dis.Instruction) -> bool:
    return instruction.opname == "LOAD_CONST" and isinstance(instruction.argval, int | float | complex)


def _arguments(instructions: list[dis.Instruction], at: int) -> list[dis.Instruction] | None:
    """Return the loads of the arguments of the call that begins here; None if they are more than loads."""
    found: list[dis.Instruction] = []
    for instruction in instructions[at:]:
        if instruction.opname in ("CALL", "KW_NAMES"):
            return found
        if instruction.opname not in _LOADS:
            return None
        found.append(instruction)
    return None


def _is_only_shown(instructions: list[dis.Instruction], at: int) -> bool:
    """Return whether a text is only used in an exception that is raised, or in a call that prints or logs it."""
    calls = [i for i, each in enumerate(instructions[at + 1 : at + 8], at + 1) if each.opname == "CALL"]
    if not calls or calls[0] + 1 >= len(instructions):
        return False
    after = instructions[calls[0] + 1].opname
    if after == "RAISE_VARARGS":
        return True
    before = [i.argval for i in instructions[:at] if i.opname in ("LOAD_GLOBAL", "LOAD_ATTR", "LOAD_METHOD")]
    return after == "POP_TOP" and any(name in _LOGGING for name in before[-4:])
