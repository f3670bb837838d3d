"""Repairs of what flytekit does when something is defined: in a notebook every cell is run again and again.

Each function applies one repair to a `Repairs`, which takes it back on unload.
"""

from __future__ import annotations

import functools
import signal
import threading
from typing import TYPE_CHECKING, Any

from flytekit.core import context_manager, interface, launch_plan, task, type_engine, workflow
from flytekit.core.base_task import TaskMetadata
from flytekit.core.cache import Cache, VersionParameters
from flytekit.core.python_function_task import EagerAsyncPythonFunctionTask, PythonFunctionTask
from flytekit.extend.backend import base_connector

from flytenb.bridge.entities.stub import Body, read_body, stub_error
from flytenb.bridge.workflow.body import FLYTEKIT_COMPILE

if TYPE_CHECKING:
    from flytenb.bridge.patches.repairs import Repairs


def keep_interrupt(repairs: Repairs) -> None:
    """Keep Ctrl-C as it is: flytekit installs a handler whenever a context is first asked for in the main thread."""
    original = context_manager.FlyteContextManager.initialize

    def initialize() -> None:
        if threading.current_thread() is not threading.main_thread():
            original()
            return
        before = signal.getsignal(signal.SIGINT)
        original()
        signal.signal(signal.SIGINT, before)

    repairs.replace(context_manager.FlyteContextManager, "initialize", staticmethod(initialize))


def accept_stubs(repairs: Repairs) -> None:
    """Accept a function that declares an output and has no body yet; running it says so.

    flytekit looks for a `return` in the source (`core/interface.py`) and refuses at the decorator.
    """
    has_return = interface.has_return_statement

    def has_return_statement(function: Any) -> bool:
        return has_return(function) or read_body(function) is not Body.CODE

    repairs.replace(interface, "has_return_statement", has_return_statement)
    execute_task = PythonFunctionTask.execute

    def execute(self: PythonFunctionTask[Any], **kwargs: Any) -> Any:
        if _is_stub(self, self.task_function):
            raise stub_error(self.task_function.__name__)
        return execute_task(self, **kwargs)

    repairs.replace(PythonFunctionTask, "execute", functools.wraps(execute_task)(execute))
    execute_workflow = workflow.PythonFunctionWorkflow.execute

    def execute_body(self: workflow.PythonFunctionWorkflow, **kwargs: Any) -> Any:
        if _is_stub(self, self.function):
            raise stub_error(self.function.__name__)
        return execute_workflow(self, **kwargs)

    repairs.replace(workflow.PythonFunctionWorkflow, "execute", functools.wraps(execute_workflow)(execute_body))


def _is_stub(entity: Any, function: Any) -> bool:
    """Ask the cheap question first: this is on the way of every direct call."""
    if read_body(function) is Body.CODE:
        return False
    # Late, since repairs are applied while flytekit is being imported, and that room imports all of it.
    from flytenb.bridge.entities.interface import is_stub

    return is_stub(entity)


_TASK_METADATA = (
    *("cache", "cache_version", "cache_serialize", "cache_ignore_input_vars"),
    *("retries", "timeout", "interruptible", "deprecated"),
)


def keep_eager_settings(repairs: Repairs) -> None:
    """Let `@eager(cache=True, retries=…)` mean what it means for `@task`: flytekit takes these and forgets them."""
    original = EagerAsyncPythonFunctionTask.__init__

    def init(self: Any, task_config: Any, task_function: Any, *args: Any, **kwargs: Any) -> None:
        given = {name: kwargs.pop(name) for name in _TASK_METADATA if kwargs.get(name) is not None}
        if given and "metadata" not in kwargs:
            kwargs["metadata"] = TaskMetadata(**_metadata_of(task_function, given))
        original(self, task_config, task_function, *args, **kwargs)

    repairs.replace(EagerAsyncPythonFunctionTask, "__init__", functools.wraps(original)(init))


def _metadata_of(function: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The settings as flytekit's own `@task` makes them of its arguments (`core/task.py`, 1.16.31)."""
    cache = given.get("cache")
    if not isinstance(cache, Cache):
        return given
    return {
        **given,
        "cache": True,
        "cache_version": cache.get_version(VersionParameters(func=function)),
        "cache_serialize": cache.serialize,
        "cache_ignore_input_vars": cache.get_ignored_inputs(),
    }


def mend_compiling(repairs: Repairs) -> None:
    """Compile workflows that are called directly as flytenb does: checked, and tried again after a failure."""

    def compile_workflow(self: workflow.PythonFunctionWorkflow, **given: Any) -> Any:
        if self.compiled:
            return None
        # Late, since repairs are applied while flytekit is being imported, and that room imports all of it.
        from flytenb.bridge.workflow.compiler import compile_workflow

        return compile_workflow(self, given, is_dynamic=bool(given))  # flytekit gives values to dynamics alone

    repairs.replace(workflow.PythonFunctionWorkflow, "compile", functools.wraps(FLYTEKIT_COMPILE)(compile_workflow))


def allow_registering_again(repairs: Repairs) -> None:
    """Let a cell that registers a transformer, task plugin, launch plan or connector be run again.

    Only what a cell registered gives way, to what the same cell registers now: two things of different names that
    claim the same type still collide, and so does anything that a package has registered.
    """
    engine = type_engine.TypeEngine
    register = engine.register.__func__

    def register_transformer(cls: Any, transformer: Any, additional_types: Any = None) -> None:
        for python_type in [transformer.python_type, *(additional_types or [])]:
            found = cls._REGISTRY.get(python_type)
            if found is not None and (
                _is_again(type(found), type(transformer)) or _is_same_simple(python_type, found, transformer)
            ):
                del cls._REGISTRY[python_type]
        register(cls, transformer, additional_types)

    repairs.replace(engine, "register", classmethod(register_transformer))
    plugins = task.TaskPlugins
    register_task = plugins.register_pythontask_plugin.__func__

    def register_plugin(cls: Any, config_type: Any, plugin: Any) -> None:
        found = cls._PYTHONFUNCTION_TASK_PLUGINS.get(config_type)
        if found is not None and _is_again(found, plugin):
            del cls._PYTHONFUNCTION_TASK_PLUGINS[config_type]
        register_task(cls, config_type, plugin)

    repairs.replace(plugins, "register_pythontask_plugin", classmethod(register_plugin))
    _allow_launch_plans_again(repairs)
    _allow_connectors_again(repairs)


def _is_again(found: type, new: type) -> bool:
    """Whether a class is what the same cell made before."""
    same_name = (found.__module__, found.__qualname__) == (new.__module__, new.__qualname__)
    return same_name and found.__module__ == "__main__"


def _is_same_simple(python_type: Any, found: Any, new: Any) -> bool:
    """Whether a transformer made without a class of its own serves the same class of the notebook as before."""
    is_ours = getattr(python_type, "__module__", "") == "__main__"
    return is_ours and type(found) is type(new) is type_engine.SimpleTransformer and bool(found.name == new.name)


def _allow_launch_plans_again(repairs: Repairs) -> None:
    plan = launch_plan.LaunchPlan
    create = plan.create.__func__
    get_or_create = plan.get_or_create.__func__

    def is_ours(workflow_: Any) -> bool:
        function = getattr(workflow_, "_workflow_function", None)
        return function is None or function.__module__ == "__main__"

    def create_plan(cls: Any, name: str, workflow: Any, *args: Any, **kwargs: Any) -> Any:
        found = cls.CACHE.get(name)
        if found is not None and is_ours(found.workflow) and found.workflow.name == workflow.name:
            del cls.CACHE[name]
        return create(cls, name, workflow, *args, **kwargs)

    def get_or_create_plan(cls: Any, workflow: Any, name: str | None = None, *args: Any, **kwargs: Any) -> Any:
        found = cls.CACHE.get(name or workflow.name)
        if found is not None and is_ours(found.workflow) and found.workflow.name == workflow.name:
            # The same plan comes back as it is; one of the same name that differs gives way.
            try:
                if found.workflow is workflow:
                    return get_or_create(cls, workflow, name, *args, **kwargs)
            except AssertionError:
                pass
            del cls.CACHE[name or workflow.name]
        return get_or_create(cls, workflow, name, *args, **kwargs)

    repairs.replace(plan, "create", classmethod(create_plan))
    repairs.replace(plan, "get_or_create", classmethod(get_or_create_plan))


def _allow_connectors_again(repairs: Repairs) -> None:
    registry = base_connector.ConnectorRegistry
    register = registry.register

    def register_connector(connector: Any, override: bool = False) -> None:
        found = registry._REGISTRY.get(connector.task_category)
        again = found is not None and _is_again(type(found), type(connector))
        register(connector, override=override or again)

    repairs.replace(registry, "register", staticmethod(register_connector))
