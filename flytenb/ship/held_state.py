"""State that functions and classes hold and that has changed since they were defined: defaults, attributes."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from types import FunctionType
from typing import Any

from flytenb.bridge.entities.kind import function_of, is_entity
from flytenb.reach.name_lookup import MISSING
from flytenb.reach.reached_objects import defaults_of
from flytenb.ship.needed_statements import subclass_hook

_PLAIN = (bool, int, float, complex, str, bytes, list, tuple, dict, set)


def changed_state(
    tree: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, held: Any, namespace: Mapping[str, Any]
) -> Iterator[str]:
    """Yield the names of literals in a definition that aren't what the function or class holds now."""
    if isinstance(tree, ast.ClassDef):
        if isinstance(held, type):
            filled = {name for name in _filled_by_subclasses(tree) if _has_classes(vars(held).get(name), namespace)}
            written = {name: value for name, value in _attributes(tree).items() if name not in filled}
            yield from _changed(written, vars(held), tree.name)
        return
    function = getattr(function_of(held) if is_entity(held) else held, "__wrapped__", None)
    function = function or (function_of(held) if is_entity(held) else held)
    if isinstance(function, FunctionType) and function.__name__ == tree.name:
        yield from _changed(_defaults(tree.args), defaults_of(function), tree.name)


def evaluated(tree: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, ast.expr]:
    """Return the attributes of a class, or the defaults of a function, by their names."""
    return _attributes(tree) if isinstance(tree, ast.ClassDef) else _defaults(tree.args)


def _filled_by_subclasses(tree: ast.ClassDef) -> set[str]:
    hook = subclass_hook(tree)
    return set() if hook is None else {node.attr for node in ast.walk(hook) if isinstance(node, ast.Attribute)}


def _has_classes(registry: Any, namespace: Mapping[str, Any]) -> bool:
    """Whether a registry holds the notebook's present classes and nothing else."""
    held = registry.values() if isinstance(registry, dict) else registry if isinstance(registry, list | set) else ()
    return bool(held) and all(isinstance(each, type) and namespace.get(each.__name__) is each for each in held)


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
