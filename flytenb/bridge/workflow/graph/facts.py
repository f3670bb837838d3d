"""What is true of an entity wherever it stands: read once per graph, since one task may stand in a thousand nodes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from flytekit.core.array_node_map_task import ArrayNodeMapTask
from flytekit.core.condition import BranchNode
from flytekit.core.gate import Gate
from flytekit.core.workflow import WorkflowBase

from flytenb.bridge.entities.interface import (
    inner_workflow,
    kind_of,
    python_interface,
    read_interface,
    read_settings,
    short_name,
)
from flytenb.model import Interface, Kind
from flytenb.model.node import Setting


class Facts:
    """One entity, read when somebody asks; what a node of it overrides is left to `overrides`."""

    def __init__(self, entity: Any) -> None:
        self.entity = entity  # kept: as long as this lives, no other object gets its identity

    @cached_property
    def kind(self) -> Kind:
        """What its nodes are."""
        return kind_of(self.entity)

    @cached_property
    def name(self) -> str:
        """Its name as the user wrote it."""
        return short_name(self.entity)

    @cached_property
    def node_name(self) -> str:
        """The name that a node of it has without an override."""
        if isinstance(self.entity, BranchNode | Gate | ArrayNodeMapTask):
            return str(self.entity.name)
        return str(self.entity.construct_node_metadata().name)

    @cached_property
    def interface(self) -> Interface:
        """Its inputs and outputs."""
        return read_interface(self.entity)

    @cached_property
    def types(self) -> Mapping[str, Any]:
        """The Python types of its inputs, none for what comes from a cluster."""
        interface = python_interface(self.entity)
        return interface.inputs if interface else {}

    @cached_property
    def settings(self) -> Mapping[str, Setting]:
        """What a badge can say about it."""
        return read_settings(self.entity)

    @cached_property
    def inner(self) -> WorkflowBase | None:
        """The workflow that its nodes open to."""
        return None if self.kind is Kind.STUB else inner_workflow(self.entity)
