"""What the walk over code finds beyond the selected statements: names that are read, code that no statement gives."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType
from typing import Any

from flytenb.bridge.entities.kind import function_of, inner_workflow, is_entity, is_map, map_target
from flytenb.bridge.workflow.compiler import all_nodes
from flytenb.reach.reached_names import Reach
from flytenb.reach.syntax_trees import compile_module, parse
from flytenb.ship.needed_statements import NeededStatements
from flytenb.ship.statements import Statement, once_per_source

_ANNOTATIONS = 0x1000000
"""The flag of code that was compiled with `from __future__ import annotations`."""
_WAYS = ((False, 0), (True, 0), (False, _ANNOTATIONS), (True, _ANNOTATIONS))
"""How code may have been compiled.

IPython compiles the statements of a plain cell one by one, and other cells as a whole; the calls of a module's
functions differ if its import is compiled along.
"""
_CHUNK = 50


class ReachedCode:
    """What the functions of selected entities, functions and classes reach by the walk that caches use.

    Attributes:
        count: how many names were selected.
        names: the names of the notebook that code reads.
        functions: the own functions that are defined in the notebook.
    """

    def __init__(self, needed: NeededStatements) -> None:
        space = needed.namespace
        self.count = len(needed.names)
        held = [space[name] for name in sorted(needed.names) if name in space]
        begin = tuple(each for value in held for each in _functions_of(value))
        walk = Reach(tuple(begin[at : at + _CHUNK] for at in range(0, len(begin), _CHUNK)))
        self.names = sorted({name for scope, name, _ in walk.watched_names() if scope is space})
        self.functions = [f for f in walk.functions if f.__globals__ is space and f.__code__.co_filename != "<string>"]

    def unknown(self, statements: Iterable[Statement]) -> list[FunctionType]:
        """Return the functions whose code isn't that of a statement."""
        unknown, statements = self.functions, [*statements]
        for way in _WAYS:
            known = {code for statement in statements for code in _codes_of(statement, *way)} if unknown else set()
            unknown = [function for function in unknown if _plain(function.__code__) not in known]
        return unknown


def _functions_of(value: Any) -> Iterator[Any]:
    """Yield where the walk begins for the value of a name."""
    if isinstance(value, type | FunctionType):
        yield value
    if not is_entity(value):
        return
    inner = inner_workflow(value)
    if inner is not None and function_of(inner) is None:
        yield from (function_of(node.flyte_entity) for node in all_nodes(inner) if is_entity(node.flyte_entity))
    yield function_of(inner if inner is not None else map_target(value) if is_map(value) else value)
    yield type(value)


@once_per_source
def _codes_of(statement: Statement, is_whole: bool, flags: int) -> frozenset[CodeType]:
    """Return the code of every function in a statement.

    Args:
        statement: the statement.
        is_whole: whether its cell is compiled as a whole.
        flags: the flag for annotations as texts, or 0.
    """
    lines = range(statement.first_line, (statement.tree.end_lineno or statement.tree.lineno) + 1)
    tree = parse(statement.cell.source) if is_whole else ast.Module([statement.tree], [])
    code = compile_module(tree, "", flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    return frozenset(_plain(inner) for inner in _inner(code) if inner.co_firstlineno in lines)


def _inner(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _inner(constant)


def _plain(code: CodeType) -> CodeType:
    """Return code without the place where it was written."""
    constants = tuple(_plain(each) if isinstance(each, CodeType) else each for each in code.co_consts)
    flags = code.co_flags & ~_ANNOTATIONS
    return code.replace(co_filename="", co_firstlineno=1, co_linetable=b"", co_consts=constants, co_flags=flags)
