"""Errors for failure handlers, with the messages of propeller 1.16.8."""

from __future__ import annotations

import textwrap
import traceback
from types import TracebackType
from typing import Any

from flytekit.types.error.error import FlyteError

from flytenb.bridge.execution.calls import is_recoverable
from flytenb.errors import NodeTimeoutError, WorkerLostError, is_foreign, say


def build_flyte_error(handler_path: str, message: str) -> FlyteError:
    """Return the error for the handler at a path.

    On a cluster the id is that of the handler's own node, never that of the node that failed (`nodes/resolve.go`).
    """
    return FlyteError(message=message, failed_node_id=handler_path.rpartition("/")[2])


def takes_error(entity: Any) -> str | None:
    """Return the name of the handler's input for the error, `err` for flytekit and the cluster, or None."""
    return "err" if "err" in entity.python_interface.inputs else None


def node_message(error: BaseException, *, attempts: int) -> str:
    """Return the message of a task's failure: its traceback; for a recoverable error with the number of attempts."""
    if isinstance(error, NodeTimeoutError | WorkerLostError):
        kind = "USER" if isinstance(error, NodeTimeoutError) else "SYSTEM"
        return _exhausted(attempts, kind, error.message)
    if is_recoverable(error):
        return _exhausted(attempts, "USER", _trace(error))
    return _trace(error)


def branch_message(error: BaseException) -> str:
    """Return the message of a conditional that ended with `fail`."""
    return f"[UserProvidedError] {say(error)}"


def element_message(index: str, message: str) -> str:
    """Return the message of a map whose element failed with this message."""
    return f"[{index}]: {message}\n"


def _exhausted(attempts: int, kind: str, message: str) -> str:
    return f"[{attempts}/{attempts}] currentAttempt done. Last Error: {kind}::{message}"


def _trace(error: BaseException) -> str:
    """Return the text that a pod writes (`flytekit.bin.entrypoint.get_traceback_str`), without the runner's frames."""
    try:
        lines = "".join(traceback.format_exception(type(error), error, _own_part(error.__traceback__)))
    except Exception:  # the user's `__cause__` or `__notes__` may raise
        lines = "".join(traceback.format_tb(error.__traceback__))
    summary = f"{type(error).__name__}: {say(error)}"
    return f"Trace:\n\n{textwrap.indent(lines, '    ')}\nMessage:\n\n{textwrap.indent(summary, '    ')}"


def _own_part(trace: TracebackType | None) -> TracebackType | None:
    """Return the traceback from the user's first frame on; all of it if there is none."""
    at = trace
    while at is not None and is_foreign(at.tb_frame.f_code.co_filename):
        at = at.tb_next
    return trace if at is None else at
