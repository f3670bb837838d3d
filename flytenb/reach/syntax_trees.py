"""Syntax trees of the user's code, which Python has parsed before: its warnings aren't given again."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import CodeType

_BETWEEN_BLOCKS = re.compile(r"\n\n\n(?=\S)")


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
    """Return the tree of a module that several parts of flytenb read, again after each edit; none of them changes it.

    Of a module that is like one before, only the blocks are parsed that differ or have moved.

    Raises:
        SyntaxError: if it isn't Python code.
    """
    try:
        return ast.Module([each for block in _blocks(source) for each in _parse_block(*block).body], [])
    except SyntaxError:  # two blank lines were inside of a statement
        return parse(source)


def compilable_tree(source: str) -> ast.Module:
    """Return the tree of a module of which each block can be compiled; nothing changes it.

    Raises:
        SyntaxError: if it isn't Python code, or such as `break` outside of a loop.
    """
    tree = parse_again(source)
    try:
        for block in _blocks(source):
            _compile_block(*block)
    except SyntaxError:
        compile_module(tree, "<module>")
    return tree


def _blocks(source: str) -> list[tuple[str, int]]:
    """Return the parts of a module between two blank lines, each with the number of its first line."""
    found, line = [], 1
    for text in _BETWEEN_BLOCKS.split(source):
        found.append((text, line))
        line += text.count("\n") + 3
    return found


@lru_cache(maxsize=1024)
def _parse_block(text: str, line: int) -> ast.Module:
    """Return the tree of a block that begins at a line.

    Blocks that can be parsed by themselves are, one after another, what the module is: a text or a bracket that goes
    on in the next block is an error in this one.
    """
    tree = parse(text)
    ast.increment_lineno(tree, line - 1)
    return tree


@lru_cache(maxsize=1024)
def _compile_block(text: str, line: int) -> None:
    compile_module(_parse_block(text, line), "<module>")


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
