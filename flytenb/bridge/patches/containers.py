"""Plain calls of raw containers, which flytekit runs by a Docker client of its own."""

from __future__ import annotations

import functools
from typing import Any

from flytekit.models.literals import LiteralMap


def engine_of_calls() -> tuple[str, bool]:
    """Return the engine of calls outside of runs, and whether they may use the network; the extension sets these."""
    return "auto", False


def run_by_engine(execute: Any) -> Any:
    """Run a container by the engine of a run, with the same files and errors.

    flytekit needs a Docker engine for it, ignores the exit status and most settings, and leaves the container running
    when it is interrupted.
    """

    @functools.wraps(execute)
    def execute_by_engine(self: Any, **inputs: Any) -> LiteralMap:
        # Late: patches are applied while flytekit is being imported.
        from flytenb.bridge.context import Workspace, workspace_of_node
        from flytenb.bridge.execution.container import ContainerCall
        from flytenb.bridge.stopping import shielded

        around = workspace_of_node()
        engine, has_network = around.engine if around is not None else engine_of_calls()
        workspace = Workspace() if around is None else around
        try:
            with shielded(), workspace.entered():
                outputs = ContainerCall(self, engine, has_network)(workspace, inputs)
                return LiteralMap({name: value.literal() for name, value in outputs.items()})
        finally:
            if around is None:
                workspace.close()

    return execute_by_engine
