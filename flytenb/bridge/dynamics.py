"""What a dynamic task turns out to contain: its function, compiled with real inputs, as a cluster compiles it."""

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
from flytenb.bridge.staleness import recompile_inner
from flytenb.bridge.workflow_compiler import compile_workflow


def compile_dynamic(
    task: PythonFunctionTask[Any], inputs: dict[str, Any], workspace: Workspace
) -> PythonFunctionWorkflow:
    """Run a dynamic task's function with its inputs and return the workflow that it builds.

    A new workflow each time: flytekit keeps the first one on the task, which would answer every later call.

    Raises:
        Exception: whatever the function raises.
    """
    before = len(FlyteEntities.entities)
    workspace.enter(workspace.context(ExecutionState.Mode.DYNAMIC_TASK_EXECUTION))
    with compiling(prefix="d"):
        try:
            workflow = PythonFunctionWorkflow(
                task.task_function,
                metadata=WorkflowMetadata(on_failure=WorkflowFailurePolicy.FAIL_IMMEDIATELY),
                default_metadata=WorkflowMetadataDefaults(interruptible=bool(task.metadata.interruptible)),
            )
            compile_workflow(workflow, inputs, is_dynamic=True)
            recompile_inner(workflow)
        finally:
            # The list of all entities only grows; what a run makes is no definition and leaves it again.
            del FlyteEntities.entities[before:]
    return workflow
