"""Insides of dynamic tasks: the function compiled with real inputs, as on a cluster."""

from __future__ import annotations

from typing import Any

from flytekit.core.context_manager import ExecutionState, FlyteEntities
from flytekit.core.python_function_task import PythonFunctionTask
from flytekit.core.workflow import (
    PythonFunctionWorkflow,
    WorkflowFailurePolicy,
    WorkflowMetadata,
    WorkflowMetadataDefaults,
)

from flytenb.bridge.context import Workspace, compiling
from flytenb.bridge.execution.files import own_files
from flytenb.bridge.workflow.compiler import compile_workflow


def compile_dynamic(
    task: PythonFunctionTask[Any], inputs: dict[str, Any], workspace: Workspace
) -> PythonFunctionWorkflow:
    """Run a dynamic task's function with its inputs and return the workflow that it builds.

    A new workflow each time: flytekit keeps the first one on the task and would use it for every later call.

    Raises:
        Exception: what the function raises.
    """
    workspace.enter(workspace.context(ExecutionState.Mode.DYNAMIC_TASK_EXECUTION))
    own = own_files(task.python_interface.inputs)
    if own is not None:
        own(workspace, inputs)
    with compiling(prefix="d"):
        workflow = PythonFunctionWorkflow(
            task.task_function,
            metadata=WorkflowMetadata(on_failure=WorkflowFailurePolicy.FAIL_IMMEDIATELY),
            default_metadata=WorkflowMetadataDefaults(interruptible=bool(task.metadata.interruptible)),
        )
        _forget(workflow)
        compile_workflow(workflow, inputs, is_dynamic=True)
    return workflow


def _forget(workflow: PythonFunctionWorkflow) -> None:
    """Remove a workflow from flytekit's list of all entities, which only grows; a run defines none."""
    entities = FlyteEntities.entities
    for i in range(len(entities) - 1, -1, -1):
        if entities[i] is workflow:
            del entities[i]
            return
