"""Every patch of flytekit: the attribute, the function that replaces it (with the reason), the upstream line."""

from __future__ import annotations

from collections.abc import Mapping

from flytekit.core import (
    array_node_map_task,
    container_task,
    context_manager,
    interface,
    launch_plan,
    python_auto_container,
    python_function_task,
    task,
    tracker,
    type_engine,
    workflow,
)
from flytekit.core.python_function_task import EagerAsyncPythonFunctionTask, PythonFunctionTask
from flytekit.extend.backend import base_connector

from flytenb.bridge.patch import Patch
from flytenb.bridge.patches import containers, definitions, mapping, registering
from flytenb.bridge.patches.redefined_classes import explain_redefined

PATCHES: Mapping[str, tuple[Patch, ...]] = {
    "interrupt": (
        Patch(
            context_manager.FlyteContextManager,
            "initialize",
            definitions.keep_interrupt,
            "core/context_manager.py:999",
        ),
    ),
    "stubs": (
        Patch(interface, "has_return_statement", definitions.accept_stubs, "core/utils.py:389"),
        Patch(PythonFunctionTask, "execute", definitions.refuse_stub_task, "core/python_function_task.py:208"),
        Patch(workflow.PythonFunctionWorkflow, "execute", definitions.refuse_stub_workflow, "core/workflow.py:923"),
    ),
    "decorators": (
        Patch(PythonFunctionTask, "__init__", definitions.explain_decorator, "core/python_function_task.py:112"),
        Patch(workflow.PythonFunctionWorkflow, "__init__", definitions.explain_decorator, "core/workflow.py:744"),
        *(
            Patch(module, "extract_task_module", definitions.name_by_function, "core/tracker.py:341")
            for module in (tracker, python_function_task, python_auto_container, workflow)
        ),
    ),
    "eager": (
        Patch(
            EagerAsyncPythonFunctionTask,
            "__init__",
            definitions.keep_eager_settings,
            "core/python_function_task.py:434",
        ),
    ),
    "compile": (
        Patch(workflow.PythonFunctionWorkflow, "compile", definitions.compile_checked, "core/workflow.py:822"),
    ),
    "maps": (
        Patch(array_node_map_task, "array_node_map_task", mapping.map_containers, "core/array_node_map_task.py:431"),
    ),
    "containers": (
        Patch(container_task.ContainerTask, "execute", containers.run_by_engine, "core/container_task.py:257"),
    ),
    "registering": (
        Patch(type_engine.TypeEngine, "register", registering.replace_transformer, "core/type_engine.py:1314"),
        Patch(task.TaskPlugins, "register_pythontask_plugin", registering.replace_plugin, "core/task.py:58"),
        Patch(task.TaskPlugins, "find_pythontask_plugin", registering.find_redefined_config, "core/task.py:80"),
        Patch(launch_plan.LaunchPlan, "create", registering.replace_plan, "core/launch_plan.py:100"),
        Patch(launch_plan.LaunchPlan, "get_or_create", registering.replace_known_plan, "core/launch_plan.py:187"),
        Patch(
            base_connector.ConnectorRegistry,
            "register",
            registering.replace_connector,
            "extend/backend/base_connector.py:257",
        ),
    ),
    "redefined": (
        Patch(type_engine.TypeTransformer, "assert_type", explain_redefined, "core/type_engine.py:179"),
        Patch(type_engine.DataclassTransformer, "assert_type", explain_redefined, "core/type_engine.py:536"),
        Patch(type_engine.UnionTransformer, "assert_type", explain_redefined, "core/type_engine.py:2039"),
    ),
}
"""Patches by subject, applied while the extension is loaded."""


def all_patches() -> tuple[Patch, ...]:
    """Return these patches and those that are applied only during runs or compiles, which need the rest of bridge."""
    from flytenb.bridge.cluster import login
    from flytenb.bridge.crossing import stored_files
    from flytenb.bridge.patches import during_runs
    from flytenb.bridge.workflow import compile_errors, compiler

    of_calls = (*login.PATCHES, *stored_files.PATCHES)
    shared = (*of_calls, *during_runs.PATCHES, *compile_errors.PATCHES, *compiler.PATCHES)
    return (*(patch for patches in PATCHES.values() for patch in patches), *(each.patch for each in shared))
