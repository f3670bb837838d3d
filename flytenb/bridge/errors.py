"""The error that a failure handler is given."""

from __future__ import annotations

from typing import Any

from flytekit.types.error.error import FlyteError


def build_flyte_error(path: str, message: str) -> FlyteError:
    """Name the node that failed; flytekit's own local run names the handler instead."""
    return FlyteError(failed_node_id=path, message=message)


def takes_error(entity: Any) -> str | None:
    """The input of a handler that wants the error: `err`, as flytekit and the cluster name it, or None."""
    return "err" if "err" in entity.python_interface.inputs else None
