"""Calls of stand-ins, and of mocks of `flytekit.testing`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flytenb.bridge.context import Workspace
from flytenb.bridge.crossing import CrossingValue
from flytenb.bridge.entities.interface import is_entity, mock_of, short_name
from flytenb.bridge.execution.calls import Call
from flytenb.bridge.execution.files import own_files
from flytenb.bridge.execution.packing import build_packing
from flytenb.errors import FlytenbError


def stand_in_call(entity: Any, stand_in: Any, strict: bool) -> Call:
    """Prepare the call of an entity's replacement, which takes and returns Python values like a task.

    Without a stand-in the entity is a reference: its node fails with a hint to set one.
    """
    name = short_name(entity)
    if stand_in is None:

        def refuse(workspace: Workspace, inputs: dict[str, Any]) -> dict[str, CrossingValue]:
            raise FlytenbError(
                f"{name!r} is a reference to an entity on a cluster and has nothing to run here",
                hint=f"give a stand-in: flytenb.options(stand_ins={{{entity.name!r}: a_function}}).run(…)",
            )

        return refuse
    pack = build_packing(entity, strict=strict)
    own = own_files(entity.python_interface.inputs)
    function = _function_of(stand_in)

    def call(workspace: Workspace, inputs: dict[str, Any]) -> dict[str, CrossingValue]:
        workspace.enter()
        if own is not None:
            own(workspace, inputs)
        box = [function(**inputs)]
        workspace.enter_to_pack()
        return pack(box)

    return call


def _function_of(stand_in: Any) -> Callable[..., Any]:
    if not is_entity(stand_in):
        function: Callable[..., Any] = stand_in
        return function
    return mock_of(stand_in) or getattr(stand_in, "task_function", stand_in)
