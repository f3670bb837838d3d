"""Patches of what flytekit does when something is defined; `table` lists them with the lines that they replace."""

from __future__ import annotations

import functools
import inspect
import signal
import threading
from types import FunctionType, MethodType
from typing import Any

from flytekit.core.base_task import TaskMetadata
from flytekit.core.cache import Cache, VersionParameters
from flytekit.core.tracker import TrackedInstance

from flytenb.bridge.entities.decorators import hidden_function_error
from flytenb.bridge.entities.stub import Body, read_body, stub_error
from flytenb.bridge.workflow.compile_errors import FLYTEKIT_COMPILE


def keep_interrupt(initialize: Any) -> Any:
    """Keep the SIGINT handler: flytekit installs its own when a context is first asked for in the main thread."""

    def keep() -> None:
        if threading.current_thread() is not threading.main_thread():
            initialize()
            return
        before = signal.getsignal(signal.SIGINT)
        initialize()
        signal.signal(signal.SIGINT, before)

    return staticmethod(keep)


def accept_stubs(has_return: Any) -> Any:
    """Accept a function that declares an output and has no body yet.

    flytekit looks for a `return` in the source and refuses the function at the decorator (`core/interface.py`).
    """

    def has_return_statement(function: Any) -> bool:
        return has_return(function) or read_body(function) is not Body.CODE

    return has_return_statement


def refuse_stub_task(execute: Any) -> Any:
    """Raise StubError for a call of a task without a body, which flytekit would let return nothing."""

    @functools.wraps(execute)
    def execute_task(self: Any, **kwargs: Any) -> Any:
        if _is_stub(self, self.task_function):
            raise stub_error(self.task_function.__name__)
        return execute(self, **kwargs)

    return execute_task


def refuse_stub_workflow(execute: Any) -> Any:
    """Raise StubError for a call of a workflow without a body, which flytekit would let return nothing."""

    @functools.wraps(execute)
    def execute_workflow(self: Any, **kwargs: Any) -> Any:
        if _is_stub(self, self.function):
            raise stub_error(self.function.__name__)
        return execute(self, **kwargs)

    return execute_workflow


def _is_stub(entity: Any, function: Any) -> bool:
    """Whether an entity is a stub; every direct call asks, so the cheap check comes first."""
    if read_body(function) is Body.CODE:
        return False
    # Late: patches are applied while flytekit is being imported, and that module imports all of it.
    from flytenb.bridge.entities.interface import is_stub

    return is_stub(entity)


def explain_decorator(init: Any) -> Any:
    """Name a decorator without `functools.wraps`; flytekit speaks of missing types or of nested functions."""
    parameters = inspect.signature(init)

    @functools.wraps(init)
    def init_entity(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            init(self, *args, **kwargs)
        except Exception as error:
            given = parameters.bind_partial(self, *args, **kwargs).arguments
            explained = hidden_function_error(given.get("task_function") or given.get("workflow_function"))
            if explained is None:
                raise
            raise explained from error

    return init_entity


def name_by_function(extract: Any) -> Any:
    """Name an object of a notebook that decorates a function by that function.

    flytekit looks for the file of whatever is defined in `__main__`, which an object of a decorator's class doesn't
    have: such a task can be defined in a module, and not in a cell.
    """

    @functools.wraps(extract)
    def extract_task_module(f: Any) -> Any:
        given = getattr(f, "task_function", f) if isinstance(f, TrackedInstance) else f
        is_function = isinstance(given, FunctionType | MethodType)  # that of `lru_cache` is a routine without a file
        is_object = getattr(given, "__module__", "") == "__main__" and hasattr(given, "__wrapped__")
        return extract(inspect.unwrap(given) if is_object and not is_function else f)

    return extract_task_module


_TASK_METADATA = (
    *("cache", "cache_version", "cache_serialize", "cache_ignore_input_vars"),
    *("retries", "timeout", "interruptible", "deprecated"),
)


def keep_eager_settings(init: Any) -> Any:
    """Give `@eager(cache=True, retries=…)` the meaning that it has for `@task`; flytekit drops these arguments."""

    @functools.wraps(init)
    def init_eager(self: Any, task_config: Any, task_function: Any, *args: Any, **kwargs: Any) -> None:
        given = {name: kwargs.pop(name) for name in _TASK_METADATA if kwargs.get(name) is not None}
        if given and "metadata" not in kwargs:
            kwargs["metadata"] = TaskMetadata(**_metadata_of(task_function, given))
        init(self, task_config, task_function, *args, **kwargs)

    return init_eager


def _metadata_of(function: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The settings as flytekit's own `@task` makes them of its arguments (`core/task.py`)."""
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


def compile_checked(_: Any) -> Any:
    """Compile a workflow that is called directly as flytenb does: checked, and again after a failure.

    flytekit marks a workflow as compiled before it compiles it, and leaves it without nodes if that fails.
    """

    @functools.wraps(FLYTEKIT_COMPILE)
    def compile_called(self: Any, **given: Any) -> Any:
        if self.compiled:
            return None
        # Late: patches are applied while flytekit is being imported, and that module imports all of it.
        from flytenb.bridge.workflow.compiler import compile_workflow

        return compile_workflow(self, given, is_dynamic=bool(given))  # flytekit gives values to dynamics alone

    return compile_called
