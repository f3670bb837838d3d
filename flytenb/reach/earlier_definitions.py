"""Entities that hold an earlier definition of another entity, which compiling a workflow again can't replace."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from flytenb.bridge.entities.container_cell import SCRIPT, cell_of
from flytenb.bridge.entities.kind import (
    function_of,
    inner_workflow,
    is_entity,
    is_map,
    kind_word,
    map_target,
    short_name,
)
from flytenb.errors import DefinitionError
from flytenb.reach.code_digest import UnreadableCodeError, digest_of_code


def check_current(entities: Iterable[Any], user: str = "") -> None:
    """Check that entities are, and hold, what their names mean now.

    Args:
        entities: the entities that a workflow's nodes call; or, without a user, those that hold another.
        user: the name of the workflow.

    Raises:
        DefinitionError: for an entity that was defined again since, as in a map task of a module-level variable.
    """
    for entity in entities:
        for held in _held(entity, is_direct=bool(user)):
            if is_redefined(held):
                raise DefinitionError(
                    f"{user or _label(entity)} uses an earlier definition of {short_name(held)!r}",
                    hint=f"run the cell again that contains {_label(entity)}"
                    if held is not entity
                    else "run the cell again that holds it under another name, in a list or as an argument",
                )


def _label(entity: Any) -> str:
    return f"the {kind_word(entity)} {short_name(entity)!r}"


def holds_earlier(entities: Iterable[Any], *, is_direct: bool) -> bool:
    """Tell whether `check_current` would raise."""
    return any(is_redefined(held) for entity in entities for held in _held(entity, is_direct=is_direct))


def _held(entity: Any, *, is_direct: bool) -> Iterator[Any]:
    """Yield the entities that one contains, before them itself if a node calls it."""
    if is_direct:
        yield entity
    inner = map_target(entity) if is_map(entity) else inner_workflow(entity)
    if inner is not None and inner is not entity:
        yield from _held(inner, is_direct=True)


def is_redefined(entity: Any) -> bool:
    """Tell whether the module of an entity's function has another entity, with other code, under its name.

    Definitions of one text may all be in use: those in a loop, and a function that was given the name of another.
    """
    cell = cell_of(entity)
    if cell is not None:
        return _is_redefined_cell(cell)
    function = function_of(entity)
    name, module = getattr(function, "__qualname__", None), getattr(function, "__module__", None)
    if type(name) is not str or type(module) is not str:
        return False
    current = getattr(sys.modules.get(module), "__dict__", {}).get(name)
    if current is entity or not is_entity(current):
        return False
    redefined = function_of(current)
    if redefined is None or redefined is function or (redefined.__qualname__, redefined.__module__) != (name, module):
        return False
    return not _is_same_source(function, redefined) and _digest(entity) != _digest(current)


def _is_redefined_cell(cell: Any) -> bool:
    """Tell whether another container cell, with other code, has the name of this one."""
    module, _, name = cell.name.removesuffix(SCRIPT).rpartition(".")
    current = cell_of(getattr(sys.modules.get(module), "__dict__", {}).get(name))
    return current is not None and current is not cell and current.code != cell.code


def _is_same_source(first: Any, second: Any) -> bool:
    """Tell whether two functions are written in one file or cell, which hasn't changed between them."""
    files = [
        getattr(getattr(inspect.unwrap(function), "__code__", None), "co_filename", "") for function in (first, second)
    ]
    return files[0] == files[1]


def _digest(entity: Any) -> bytes | object:
    try:
        return digest_of_code(entity)
    except UnreadableCodeError:
        return object()


def current_definition(entity: Any) -> Any:
    """Return what the name of an entity means now, the entity itself unless another has that name."""
    if not is_redefined(entity):
        return entity
    function = function_of(entity)
    found: Any = sys.modules.get(function.__module__)
    for name in function.__qualname__.split("."):
        found = getattr(found, name, None)
    return found if is_entity(found) else entity
