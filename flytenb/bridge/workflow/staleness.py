"""Compiled workflows that are out of date: what they name has been redefined since. Find them, compile them anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from flytekit.core.workflow import PythonFunctionWorkflow

from flytenb.bridge import private
from flytenb.bridge.context import compile_lock
from flytenb.bridge.entities.interface import function_of, inner_workflow, is_entity, is_map, map_target
from flytenb.bridge.workflow.compiler import all_nodes, check_composed, compile_workflow
from flytenb.bridge.workflow.dependencies import NamedEntities, has_changed, is_known
from flytenb.bridge.workflow.reading_cache import forget_readings, read_once, read_what_is_pending


def recompile_stale(entity: Any) -> None:
    """Compile the workflow behind an entity, and those inside it, where they aren't up to date.

    Raises:
        Exception: why one of them can't be compiled.
    """
    workflow = inner_workflow(entity)
    if workflow is not None:
        with compile_lock:
            _refresh(workflow, set())


def recompile_inner(workflow: Any) -> None:
    """Compile the workflows that a dynamic's nodes call where they aren't up to date."""
    for inner in _inner_workflows(workflow):
        recompile_stale(inner)


def is_stale(entity: Any) -> bool:
    """Tell whether anything that an entity's workflow was compiled from has been redefined."""
    workflow = inner_workflow(entity)
    return workflow is not None and _is_stale(workflow, set())


def forget_stale(entities: Iterable[Any]) -> None:
    """Forget what the stale ones among the workflows behind these entities were compiled to, at any depth.

    flytekit compiles each anew when it is used, by whatever uses it: so nothing fails at a cell that has nothing to do
    with it. Workflows that only the body of a task names are among them. While another thread compiles, nothing is
    done: whoever runs a workflow through flytenb brings it up to date first.
    """
    private.forget_pickled()
    if not compile_lock.acquire(blocking=False):
        return
    try:
        workflows = (e for e in _reached(entities) if isinstance(e, PythonFunctionWorkflow))
        stale = [w for w in workflows if w.compiled and not _is_up_to_date(w)]
        if stale:
            read_what_is_pending()
            for workflow in stale:
                private.forget_compiled(workflow)
            forget_readings()
    finally:
        compile_lock.release()


def _is_up_to_date(workflow: PythonFunctionWorkflow) -> bool:
    """Whether a compiled workflow was compiled, and so checked, here, from what its names mean now."""
    return is_known(workflow) and not has_changed(workflow)


def _reached(entities: Iterable[Any]) -> Iterator[Any]:
    """Everything that these entities are, call or name, at any depth."""
    todo = list(entities)
    names = NamedEntities()
    seen: set[int] = set()
    while todo:
        entity = todo.pop()
        if id(entity) in seen:
            continue
        seen.add(id(entity))
        yield entity
        workflow = inner_workflow(entity)
        if workflow is not None and workflow is not entity:
            todo.append(workflow)
        elif workflow is not None:
            todo += (node.flyte_entity for node in all_nodes(workflow) if is_entity(node.flyte_entity))
        target = map_target(entity) if is_map(entity) else entity
        function = function_of(target)
        if function is not None:
            todo += names.entities(function)


def _refresh(workflow: Any, seen: set[int]) -> None:
    if id(workflow) in seen:
        return
    seen.add(id(workflow))
    if not isinstance(workflow, PythonFunctionWorkflow):
        check_composed(workflow)
    elif not workflow.compiled or not _is_up_to_date(workflow):
        read_what_is_pending()
        private.forget_compiled(workflow)
        forget_readings()
        compile_workflow(workflow)
    for inner in read_once(workflow, "inner workflows", lambda: _inner_workflows(workflow)):
        _refresh(inner, seen)


def _is_stale(workflow: Any, seen: set[int]) -> bool:
    if id(workflow) in seen:
        return False
    seen.add(id(workflow))
    if isinstance(workflow, PythonFunctionWorkflow) and has_changed(workflow):
        return True
    return any(_is_stale(inner, seen) for inner in _inner_workflows(workflow))


def _inner_workflows(workflow: Any) -> list[Any]:
    """The workflows that a workflow's nodes call, those inside its conditionals too, each once."""
    entities = (node.flyte_entity for node in all_nodes(workflow))
    found = [inner_workflow(entity) for entity in entities if is_entity(entity)]
    return list({id(w): w for w in found if w is not None}.values())
