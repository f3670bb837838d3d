"""Redefined tasks put in place of the earlier ones in the nodes of a compiled workflow, without compiling it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from flytekit.core.base_task import PythonTask

from flytenb.bridge import private
from flytenb.bridge.workflow.compiler import all_nodes
from flytenb.bridge.workflow.reader import read_entity
from flytenb.bridge.workflow.reading_cache import revise
from flytenb.model.workflow import Case, Workflow, WorkflowNode

_PLAIN = (int, float, str, bool, type(None))


def can_replace(before: Any, now: Any) -> bool:
    """Tell whether compiling with one task in place of another gives the same nodes: equal interface and settings."""
    if type(before) is not type(now) or not isinstance(now, PythonTask) or type(now).compile is not PythonTask.compile:
        return False
    if (before.name, before.metadata) != (now.name, now.metadata):
        return False
    if before.task_config is not None or now.task_config is not None:
        return False  # `with_overrides` writes it into the task (flytekit 1.16.31, `Node.with_overrides`)
    earlier, later = before.python_interface, now.python_interface
    defaults = earlier.inputs_with_defaults, later.inputs_with_defaults
    return (
        [*earlier.outputs.items()] == [*later.outputs.items()]
        and [*earlier.inputs.items()] == [*later.inputs.items()]
        and all(_is_same(defaults[0][name][1], defaults[1][name][1]) for name in earlier.inputs)
    )


def _is_same(before: Any, now: Any) -> bool:
    return before is now or (type(before) is type(now) and isinstance(now, _PLAIN) and before == now)


def relink(workflow: Any, replaced: Mapping[int, Any]) -> None:
    """Let the nodes of a compiled workflow call other entities.

    Args:
        workflow: the workflow.
        replaced: the new entities, by the id of the one that each replaces.
    """
    for node in all_nodes(workflow):
        now = replaced.get(id(node.flyte_entity))
        if now is not None:
            private.set_entity(node, now)
    revise(workflow, "workflow", partial(_relinked, replaced=replaced))


def _relinked(read: Workflow, replaced: Mapping[int, Any]) -> Workflow | None:
    """Return the reading of a workflow with other entities; None if more than that is different."""
    entities = {id(node.entity): node.entity for node in _nodes(read) if id(node.entity) in replaced}
    for before in entities.values():
        earlier, now = read_entity(before), read_entity(replaced[id(before)])
        if (earlier.kind, earlier.name, earlier.node_name) != (now.kind, now.name, now.node_name):
            return None
    failure = None if read.failure is None else _replaced(read.failure, replaced)
    return replace(read, nodes=tuple(_replaced(node, replaced) for node in read.nodes), failure=failure)


def _nodes(read: Workflow) -> list[WorkflowNode]:
    return [*read.walk(), *([] if read.failure is None else [read.failure])]


def _replaced(node: WorkflowNode, replaced: Mapping[int, Any]) -> WorkflowNode:
    if node.cases:
        return replace(node, cases=tuple(_replaced_in(case, replaced) for case in node.cases))
    now = replaced.get(id(node.entity))
    return node if now is None else replace(node, entity=now)


def _replaced_in(case: Case, replaced: Mapping[int, Any]) -> Case:
    return replace(case, nodes=tuple(_replaced(node, replaced) for node in case.nodes))
