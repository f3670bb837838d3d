"""The notebook's entities by the paths of their nodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flytenb.bridge.entities.interface import inner_workflow, is_entity, is_map, short_name
from flytenb.bridge.entities.kind import function_of
from flytenb.bridge.workflow.reader import read_workflow


def entities_by_path(entity: Any) -> dict[str, Any]:
    """Return the entity of each node at every depth; a task alone is the node `n0`."""
    return dict(_inside(entity, "")) if inner_workflow(entity) is not None and not is_map(entity) else {"n0": entity}


def entity_named(around: Any, name: str) -> Any:
    """Return the entity of a name on the cluster that the function of a dynamic or eager task sees, else None."""
    function = None if around is None else function_of(around)
    held = [] if function is None else [*function.__globals__.values()]
    short = name.rpartition(".")[2]
    return next((each for each in held if is_entity(each) and short_name(each) == short), None)


def _inside(entity: Any, path: str) -> Iterator[tuple[str, Any]]:
    workflow = None if is_map(entity) else inner_workflow(entity)
    if workflow is None:
        return
    read = read_workflow(workflow, path)
    handler = () if read.failure is None else (read.failure,)
    for node in (*read.walk(), *handler):
        if not node.cases:  # a branch runs nothing itself
            yield node.path, node.entity
            yield from _inside(node.entity, node.path)
