"""The error that a failure handler gets as its input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flytenb.bridge.crossing import CrossingValue
from flytenb.bridge.entities.interface import is_map
from flytenb.bridge.execution.task_error import branch_message, build_flyte_error, element_message, node_message
from flytenb.runner.record import Record, RunLog
from flytenb.runner.step import Scope


def error_of(scope: Scope, handler_path: str, run_log: Callable[[], RunLog | None], _: CrossingValue | None) -> Any:
    """Return the error for a failed workflow's handler, worded as on a cluster: each map on the path adds its index."""
    failure, log = scope.failures[0], run_log()
    records: Mapping[str, Record] = {} if log is None else log.records
    failed = records.get(failure.path)  # None for the outputs of the outermost workflow
    if failed is not None and failed.entity is None:
        message = branch_message(failure.exception)
    else:
        message = node_message(failure.exception, attempts=len(failure.retries) + 1)
    inside, last = _split(failure.path)
    while inside and inside != scope.path:
        around = records.get(inside)
        if around is not None and around.entity is not None and is_map(around.entity):
            message = element_message(last, message)
        inside, last = _split(inside)
    return build_flyte_error(handler_path, message)


def _split(path: str) -> tuple[str, str]:
    inside, _, last = path.rpartition("/")
    return inside, last
