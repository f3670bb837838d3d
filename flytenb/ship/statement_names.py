"""The names that the code of a statement binds, reads, sets and mentions, and the objects that it changes."""

from __future__ import annotations

import ast
import dis
import inspect
from collections.abc import Iterator, Sequence
from types import CodeType

_LOADS = frozenset(["LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS"])
_STORES = frozenset(["STORE_NAME", "STORE_GLOBAL"])
_AT_ONCE = frozenset(["<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"])
_LOOKUPS = frozenset(["eval", "exec", "globals", "vars"])
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class StatementNames:
    """The names that the code of one statement uses.

    Attributes:
        binds: the names that it binds.
        reads: the names that it reads while it runs.
        later: the names that its functions read when they are called.
        sets: the names that its functions set as globals.
    """

    def __init__(self) -> None:
        self.binds: set[str] = set()
        self.reads: set[str] = set()
        self.later: set[str] = set()
        self.sets: set[str] = set()

    def read(self, code: CodeType, *, now: bool, own: frozenset[str] = frozenset()) -> None:
        """Read a code object and those inside it.

        Args:
            code: the code.
            now: whether it runs when the statement does.
            own: the names of the class bodies around it.
        """
        instructions = list(dis.get_instructions(code))
        is_module, is_class = code.co_name == "<module>", not code.co_flags & inspect.CO_OPTIMIZED
        stored = {i.argval for i in instructions if i.opname in _STORES}
        if is_module:
            self.binds |= stored
        elif not is_class:
            self.sets |= stored
        loaded = {i.argval for i in instructions if i.opname in _LOADS}
        if is_class and not is_module:
            loaded -= stored | {"__name__"}
        (self.reads if now else self.later).update(loaded)
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                is_body = not constant.co_flags & inspect.CO_OPTIMIZED
                self.read(constant, now=now and (is_body or constant.co_name in _AT_ONCE))


def changed_objects(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield what a statement changes outside of functions: `box.size = 1`, `table["a"] = 1`, `del table["a"]`."""
    for node in () if isinstance(tree, Definition) else _outside_functions(tree):
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            chain: list[str] = [node.attr] if isinstance(node, ast.Attribute) else [""]
            inner = node.value
            while isinstance(inner, ast.Attribute | ast.Subscript):
                chain.append(inner.attr if isinstance(inner, ast.Attribute) else "")
                inner = inner.value
            if isinstance(inner, ast.Name):
                yield inner.id, chain[-1]


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, Definition | ast.Lambda):
            yield child
            yield from _outside_functions(child)


def mentioned_names(nodes: Sequence[ast.AST], read: set[str]) -> Iterator[str]:
    """Yield the names in texts that are annotations, or are looked up by `globals()["name"]` or `eval`.

    Args:
        nodes: all that is in a statement.
        read: the names that it reads.
    """
    yield from _annotated(nodes)
    yield from _looked_up(nodes, read)


def _annotated(nodes: Sequence[ast.AST]) -> Iterator[str]:
    """Yield the names in annotations that are texts."""
    for node in nodes:
        if isinstance(node, ast.arg | ast.AnnAssign):
            annotation = node.annotation
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            annotation = node.returns
        else:
            continue
        for text in _texts(annotation):
            yield from names_of(text)


def _texts(annotation: ast.AST | None) -> Iterator[str]:
    """Yield the texts in an annotation that are annotations too, not those of a Literal."""
    if isinstance(annotation, ast.Constant) and type(annotation.value) is str:
        yield annotation.value
    elif isinstance(annotation, ast.expr):
        is_literal = isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value).endswith("Literal")
        for part in () if is_literal else ast.iter_child_nodes(annotation):
            yield from _texts(part)


def _looked_up(nodes: Sequence[ast.AST], read: set[str]) -> Iterator[str]:
    """Yield the names in texts, if the code looks names up by their texts."""
    if not _LOOKUPS.isdisjoint(read):
        for node in nodes:
            if isinstance(node, ast.Constant) and type(node.value) is str:
                yield from names_of(node.value)


def names_of(text: str) -> set[str]:
    """Return the names in an expression, none of a text that isn't one."""
    try:
        return {node.id for node in ast.walk(ast.parse(text, mode="eval")) if isinstance(node, ast.Name)}
    except (SyntaxError, ValueError):
        return set()
