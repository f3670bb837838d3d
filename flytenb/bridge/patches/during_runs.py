"""Patches of flytekit that are applied while a run goes on and undone when the last one has ended."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from flytekit.core.local_cache import LocalTaskCache
from flytekit.extend.backend.base_connector import AsyncConnectorExecutorMixin, SyncConnectorExecutorMixin
from flytekit.types.file.file import FlyteFilePathTransformer

from flytenb.bridge import private
from flytenb.bridge.context import is_in_node, workspace_of_node
from flytenb.bridge.execution.connector import run_job
from flytenb.bridge.execution.shell_script import replace_runner
from flytenb.bridge.patch import Patch, SharedPatch


def validate_existing_file(validate: Callable[..., None]) -> Callable[..., None]:
    """Check the type of a file (with python-magic) only if the file is there, as the check's own message says.

    flytekit's check fails for a file that hasn't been downloaded yet, and so for one that is only passed on.
    """

    @wraps(validate)
    def validate_file_type(self: Any, python_type: Any, source_path: Any) -> None:
        if Path(source_path).exists():
            validate(self, python_type, source_path)

    return validate_file_type


def miss_in_nodes(get: Callable[..., Any]) -> staticmethod[..., Any]:
    """Let flytekit's local cache miss for calls in a task's code: they run each time, as in a pod with a new disk.

    flytekit's cache would answer with the result of an older definition, also for a task that converts its values
    itself, after the run's own cache was asked.
    """
    return staticmethod(lambda *args, **kwargs: None if is_in_node() else get(*args, **kwargs))


def store_nothing_in_nodes(put: Callable[..., None]) -> staticmethod[..., None]:
    """Store nothing in flytekit's local cache for calls in a task's code, since nothing is read from it there."""
    return staticmethod(lambda *args, **kwargs: None if is_in_node() else put(*args, **kwargs))


def run_own_job(execute: Callable[..., Any]) -> Callable[..., Any]:
    """Run the job of a connector as in other nodes when a task's own `execute` asks for it.

    flytekit's way needs the main thread, for signals, and an event loop that all tasks share.
    """

    @wraps(execute)
    def execute_by_connector(self: Any, **inputs: Any) -> Any:
        workspace = workspace_of_node()
        return execute(self, **inputs) if workspace is None else run_job(self, inputs, workspace)

    return execute_by_connector


PATCHES = (
    *(
        SharedPatch(Patch(mixin, "execute", run_own_job, f"extend/backend/base_connector.py:{line}"))
        for mixin, line in ((AsyncConnectorExecutorMixin, 368), (SyncConnectorExecutorMixin, 315))
    ),
    SharedPatch(
        Patch(
            FlyteFilePathTransformer,
            "validate_file_type",
            validate_existing_file,
            "types/file/file.py:512",
        )
    ),
    SharedPatch(Patch(*private.shell_runner(), replace_runner, "extras/tasks/shell.py:180")),
    SharedPatch(Patch(LocalTaskCache, "get", miss_in_nodes, "core/local_cache.py:78")),
    SharedPatch(Patch(LocalTaskCache, "set", store_nothing_in_nodes, "core/local_cache.py:105")),
)


class _PerThread(threading.local):
    """The callers of operators, on each thread."""

    def __init__(self) -> None:
        self.callers: dict[str, Any] = {}


def _serve_all_threads() -> None:
    """Let operators of Airflow run on any thread: it sets up a thread-local on the thread that imports it only.

    That is `models/baseoperator.py:402` of 2.9. It isn't undone: between two calls the thread-local holds nothing.
    """
    safeguard = getattr(sys.modules.get("airflow.models.baseoperator"), "ExecutorSafeguard", None)
    if safeguard is not None and type(vars(safeguard).get("_sentinel")) is threading.local:
        setattr(safeguard, "_sentinel", _PerThread())  # noqa: B010 - a private name of another library


def begin() -> None:
    """Apply them for one more run."""
    _serve_all_threads()
    for patch in PATCHES:
        patch.__enter__()


def end() -> None:
    """End that for one run."""
    for patch in PATCHES:
        patch.__exit__()
