"""Coroutines of eager tasks, run with a controller that makes every call a node of the run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from types import TracebackType
from typing import Any

from flytekit.core.context_manager import ExecutionState
from flytekit.core.python_function_task import EagerAsyncPythonFunctionTask
from flytekit.exceptions.eager import EagerException

from flytenb.bridge.context import Workspace
from flytenb.bridge.execution.coroutines import run_coroutine
from flytenb.bridge.stopping import current_attempt

Add = Callable[[Any, dict[str, Any]], Awaitable[Any]]


class _Controller:
    """The controller in flytekit's context, which calls only its `add` (`core/promise.py`, 1.16.31)."""

    def __init__(self, add: Add) -> None:
        self._add = add

    async def add(self, entity: Any, input_kwargs: dict[str, Any]) -> Any:
        """Run an entity that the eager task called."""
        return await self._add(entity, input_kwargs)


def run_eager(
    task: EagerAsyncPythonFunctionTask[Any],
    inputs: dict[str, Any],
    workspace: Workspace,
    add: Add,
    new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> Any:
    """Run the coroutine on this thread, in a loop that `new_loop` makes, and return its result."""
    context = workspace.context(ExecutionState.Mode.EAGER_EXECUTION, worker_queue=_Controller(add))
    workspace.enter(context)
    return current_attempt().call(lambda: run_coroutine(task.task_function, inputs, new_loop))


def eager_error(name: str, error: BaseException) -> Exception:
    """Return the exception that an eager task catches when one of its calls failed, as on a cluster."""
    made: Exception = EagerException(f"Error executing {name} with error: {error}")
    made.__cause__ = error
    return made


def cause_of(error: BaseException) -> BaseException:
    """Return the user's exception that caused an eager task's error, with the frames of the eager task on top."""
    while isinstance(error, EagerException) and error.__cause__ is not None:
        cause = error.__cause__
        trace = cause.__traceback__
        for at in reversed(list(_entries(error.__traceback__))):
            trace = TracebackType(trace, at.tb_frame, at.tb_lasti, at.tb_lineno)
        error = cause.with_traceback(trace)
    return error


def _entries(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next
