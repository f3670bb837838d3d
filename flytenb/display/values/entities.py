"""Display of flytekit entities on one line; drawings are made by `entity_card`."""

from __future__ import annotations

from typing import Any

from flytenb.display.part import Part, Value
from flytenb.display.registry import BUILT_IN
from flytenb.display.view import View
from flytenb.wording.kinds import entity_text
from flytenb.wording.packages import loaded

register = BUILT_IN.register


def is_entity(value: Any) -> bool:
    """Whether a value is a task, workflow or launch plan."""
    if loaded("flytekit") is None:
        return False
    from flytenb.bridge.entities import interface as entities

    return entities.is_entity(value)


@register(is_entity)
def show_entity(value: Any, view: View) -> Part:
    """Show an entity's kind and signature."""
    from flytenb.bridge.entities import interface as entities

    kind = entities.kind_of(value)
    interface = entities.read_interface(value)
    inputs = ", ".join(f"{p.name}: {p.type}" + (f" = {p.default}" if p.default else "") for p in interface.inputs)
    outputs = [p.type if len(interface.outputs) == 1 else f"{p.name}: {p.type}" for p in interface.outputs]
    back = outputs[0] if len(outputs) == 1 else f"({', '.join(outputs)})" if outputs else "None"
    return Value(f"{entities.short_name(value)}({inputs}) -> {back}", entity_text(kind))
