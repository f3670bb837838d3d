"""Maps of raw containers and of container cells, which flytekit refuses."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from typing import Any

from flytekit.core import array_node_map_task
from flytekit.core.container_task import ContainerTask
from flytekit.core.launch_plan import LaunchPlan
from flytekit.core.promise import Promise

from flytenb.errors import DefinitionError


def map_containers(map_function: Any) -> Any:
    """Map a container over its inputs through a launch plan; flytekit's map tasks take Python tasks only.

    `functools.partial` fixes inputs, as for Python tasks, with constants.
    """

    @functools.wraps(map_function)
    def map_target(task_function: Any, *args: Any, **kwargs: Any) -> Any:
        fixed = task_function.keywords if isinstance(task_function, functools.partial) else {}
        target = task_function.func if fixed else task_function
        workflow = _workflow_of(target)
        if workflow is None:
            return map_function(task_function, *args, **kwargs)
        from flytekit.core.array_node import array_node

        plan = _plan_of(workflow, fixed)
        return array_node(plan, *args, **kwargs)

    map_target.maps_containers = True  # type: ignore[attr-defined]
    return map_target


def let_maps_take_containers() -> None:
    """Do so in a process without the extension, such as one that imports an exported module."""
    found = array_node_map_task.array_node_map_task
    if not hasattr(found, "maps_containers"):
        array_node_map_task.array_node_map_task = map_containers(found)


def _plan_of(workflow: Any, fixed: Mapping[str, Any]) -> LaunchPlan:
    """Return the launch plan of a mapped container; a workflow that is compiled again makes its plans again.

    Raises:
        DefinitionError: if an input is fixed with the output of a node.
    """
    for key, value in fixed.items():
        if isinstance(value, Promise):
            raise DefinitionError(
                f"input {key!r} of a mapped container must be fixed with a constant, got the output of a node",
                hint="map over a list that holds the value for each element; a task can make it",
            )
    from flytenb.bridge.entities.container_cell import MAPPED

    constants = hashlib.sha256(repr(sorted(fixed.items())).encode()).hexdigest()[:8]
    name = f"{workflow.name}{MAPPED}" + (f"_{constants}" if fixed else "")
    LaunchPlan.CACHE.pop(name, None)
    return LaunchPlan.create(name, workflow, fixed_inputs=dict(fixed) or None)


def _workflow_of(target: Any) -> Any | None:
    """Return the workflow of a container cell, or one with a raw container as its only node."""
    # Late: patches are applied while flytekit is being imported.
    from flytenb.bridge.entities.container_cell import CellWorkflow, around

    if isinstance(target, ContainerTask):
        return around(target)
    return target if isinstance(target, CellWorkflow) else None
