"""Facts about an entity that all its nodes share, read once per graph: one task may be called by a thousand nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flytekit.core.workflow import WorkflowBase

from flytenb.bridge.entities.interface import (
    inner_workflow,
    kind_of,
    python_interface,
    read_interface,
    read_settings,
)
from flytenb.locks import cached_property
from flytenb.model import Interface, Kind
from flytenb.model.node import Setting


class EntityFacts:
    """One entity, each fact read when it is first asked for."""

    def __init__(self, entity: Any) -> None:
        self.entity = entity  # kept, so that no other object gets its id

    @cached_property
    def interface(self) -> Interface:
        """Its inputs and outputs."""
        return read_interface(self.entity)

    @cached_property
    def types(self) -> Mapping[str, Any]:
        """The Python types of its inputs; empty for an entity of a cluster."""
        interface = python_interface(self.entity)
        return interface.inputs if interface else {}

    @cached_property
    def settings(self) -> Mapping[str, Setting]:
        """The settings that a badge can show."""
        return read_settings(self.entity)

    @cached_property
    def inner(self) -> WorkflowBase | None:
        """The workflow that its nodes contain."""
        found = inner_workflow(self.entity)
        return None if found is None or kind_of(self.entity) is Kind.STUB else found
