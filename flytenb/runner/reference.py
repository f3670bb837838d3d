"""A reference entity: it lives on a cluster, so here a stand-in answers for it."""

from __future__ import annotations

from typing import Any

from flytenb.bridge.calls import Call
from flytenb.bridge.context import Workspace
from flytenb.bridge.crossing import Value
from flytenb.bridge.entities import is_entity, short_name
from flytenb.bridge.packing import build_packing
from flytenb.errors import FlytenbError


def stand_in_call(entity: Any, stand_in: Any, strict: bool) -> Call:
    """Prepare the call of what answers for a reference; without one, the node fails and says how to give one."""
    name = short_name(entity)
    if stand_in is None:

        def refuse(workspace: Workspace, inputs: dict[str, Any]) -> dict[str, Value]:
            raise FlytenbError(
                f"{name!r} is a reference to an entity on a cluster and has nothing to run here",
                hint=f"give a stand-in: flytenb.options(stand_ins={{{entity.name!r}: a_function}}).run(…)",
            )

        return refuse
    pack = build_packing(entity, strict=strict)
    function = getattr(stand_in, "task_function", stand_in) if is_entity(stand_in) else stand_in

    def call(workspace: Workspace, inputs: dict[str, Any]) -> dict[str, Value]:
        workspace.enter()
        return pack([function(**inputs)])

    return call
