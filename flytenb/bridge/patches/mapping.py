"""Maps of raw containers and of container cells, which flytekit refuses."""

from __future__ import annotations

import functools
from typing import Any

from flytekit.core.container_task import ContainerTask
from flytekit.core.launch_plan import LaunchPlan


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

        name = f"{workflow.name}_mapped" + "".join(f"_{key}" for key in sorted(fixed))
        plan = LaunchPlan.create(name, workflow, fixed_inputs=dict(fixed) or None)
        return array_node(plan, *args, **kwargs)

    return map_target


def _workflow_of(target: Any) -> Any | None:
    """Return the workflow of a container cell, or one with a raw container as its only node."""
    # Late: patches are applied while flytekit is being imported.
    from flytenb.bridge.entities.container_cell import CellWorkflow, around

    if isinstance(target, ContainerTask):
        return around(target)
    return target if isinstance(target, CellWorkflow) else None
