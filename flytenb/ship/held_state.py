"""State that functions and classes hold and that has changed since they were defined: defaults, attributes."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from types import FunctionType
from typing import Any

from flytenb.bridge.entities.kind import function_of, is_entity
from flytenb.reach.name_lookup import MISSING
from flytenb.reach.reached_objects import defaults_of

_PLAIN = (bool, int, float, complex, str, bytes, list, tuple, dict, set)


def changed_state(tree: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, held: Any) -> Iterator[str]:
    """Yield the names of literals in a definition that aren't what the function or class holds now."""
    if isinstance(tree, ast.ClassDef):
        if isinstance(held, type):
            yield from _changed(_attributes(tree), vars(held), tree.name)
        return
    function = getattr(function_of(held) if is_entity(held) else held, "__wrapped__", None)
    function = function or (function_of(held) if is_entity(held) else held)
    if isinstance(function, FunctionType) and function.__name__ == tree.name:
        yield from _changed(_defaults(tree.args), defaults_of(function), tree.name)


def _attributes(tree: ast.ClassDef) -> dict[str, ast.expr]:
    found: dict[str, ast.expr] = {}
    for statement in tree.body:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
        value = getattr(statement, "value", None)
        if isinstance(target, ast.Name) and value is not None:
            found[target.id] = value
    return found


def _defaults(arguments: ast.arguments) -> dict[str, ast.expr]:
    named = [*arguments.posonlyargs, *arguments.args]
    found = {a.arg: value for a, value in zip(named[::-1], arguments.defaults[::-1], strict=False)}
    keywords = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return found | {a.arg: value for a, value in keywords if value is not None}


def _changed(written: Mapping[str, ast.expr], held: Mapping[str, Any], owner: str) -> Iterator[str]:
    for name, expression in written.items():
        now = held.get(name, MISSING)
        try:
            before = ast.literal_eval(expression)
        except (ValueError, TypeError, SyntaxError):
            continue
        # A class may make something else of a literal, such as a member or a descriptor.
        if type(now) is type(before) and isinstance(now, _PLAIN) and repr(now) != repr(before):
            yield f"{owner}.{name}"
