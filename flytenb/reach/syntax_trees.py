"""Syntax trees of the user's code, which Python has parsed before: its warnings aren't given again."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import CodeType


def parse(source: str | bytes) -> ast.Module:
    """Return the tree of a cell's or a module's code.

    Raises:
        SyntaxError: if it isn't Python code.
    """
    with _silent():
        try:
            return ast.parse(source)
        except SystemError:  # of Python 3.11, if what the garbage collector ran meanwhile has parsed code too
            return ast.parse(source)


@lru_cache(maxsize=4)
def parse_again(source: str) -> ast.Module:
    """Return the tree of a module that several parts of flytenb read, one after another; none of them changes it.

    Raises:
        SyntaxError: if it isn't Python code.
    """
    return parse(source)


def compile_module(code: ast.Module | bytes, name: str, flags: int = 0) -> CodeType:
    """Return the code of a module, or of statements of a cell.

    Raises:
        SyntaxError: if it isn't Python code.
    """
    with _silent():
        compiled: CodeType = compile(code, name, "exec", flags, dont_inherit=True)
    return compiled


@contextmanager
def _silent() -> Iterator[None]:
    """Give no warning about the code, such as for the escape `\\d` or `x is 1`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
