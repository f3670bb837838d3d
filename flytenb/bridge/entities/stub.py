"""Detection of functions without a body."""

from __future__ import annotations

import ast
import dis
import inspect
import textwrap
from collections.abc import Callable
from enum import Enum
from functools import lru_cache
from types import CodeType
from typing import Any

from flytenb.errors import StubError


class Body(Enum):
    """The content of a function's body."""

    CODE = "code"
    NOTHING = "nothing"
    """A docstring or `pass`: nothing is done, which may be intended."""
    ELLIPSIS = "ellipsis"
    """`...` or `raise NotImplementedError`: not written yet."""


_SILENT = frozenset({"RESUME", "NOP", "RETURN_GENERATOR", "POP_TOP", "COPY_FREE_VARS", "MAKE_CELL", "CACHE", "PRECALL"})
"""Instructions that a function without any statement has too."""

_EMPTY_BYTES = 100
"""Three times the bytes of bytecode of a function without a body; longer bodies are code."""

_NOTHING = frozenset({("LOAD_CONST", "RETURN_VALUE"), ("RETURN_CONST",)})


def read_body(function: Callable[..., Any]) -> Body:
    """Return the content of the body of a function, under its decorators.

    The bytecode is read first: it always exists and shows that most functions have code. Only an empty function needs
    its source, since `...`, `pass` and `return` compile to the same; without source it counts as empty.
    """
    code = getattr(inspect.unwrap(function), "__code__", None)
    if not isinstance(code, CodeType) or len(code.co_code) > _EMPTY_BYTES:
        return Body.CODE
    return _read_code(code) or _read_source(function)


@lru_cache(maxsize=1024)
def _read_code(code: CodeType) -> Body | None:
    """Return the content by the bytecode, None if only the source shows it."""
    instructions = _read_instructions(code)
    if tuple(i.opname for i in instructions) in _NOTHING:
        return None
    return Body.ELLIPSIS if _raises_not_implemented(instructions) else Body.CODE


def _read_instructions(code: CodeType) -> list[dis.Instruction]:
    """Return the instructions of the statements; those after the first return or raise only unwind a coroutine."""
    found: list[dis.Instruction] = []
    for instruction in dis.get_instructions(code):
        if instruction.opname not in _SILENT:
            found.append(instruction)
        if instruction.opname in ("RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS"):
            break
    return found


def _raises_not_implemented(instructions: list[dis.Instruction]) -> bool:
    """Whether the body is `raise NotImplementedError`, with or without a constant message."""
    if not instructions or instructions[0].argval != "NotImplementedError":
        return False
    between = {i.opname for i in instructions[1:-1]}
    return instructions[-1].opname == "RAISE_VARARGS" and between <= {"LOAD_CONST", "CALL", "PUSH_NULL"}


def _read_source(function: Callable[..., Any]) -> Body:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))
    except (OSError, TypeError, SyntaxError, ValueError):
        return Body.NOTHING
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return _read_statements(node.body)
    return Body.NOTHING


def _read_statements(body: list[ast.stmt]) -> Body:
    has_ellipsis = False
    for statement in body:
        match statement:
            case ast.Expr(value=ast.Constant(value=value)):
                has_ellipsis = has_ellipsis or value is ...
            case ast.Pass():
                pass
            case _:
                return Body.CODE
    return Body.ELLIPSIS if has_ellipsis else Body.NOTHING


def stub_error(name: str) -> StubError:
    """Return the error of running a task or workflow without a body."""
    return StubError(f"{name} has no body yet", hint="it can be drawn and composed; write its body to run it")
