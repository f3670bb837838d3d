"""Uses of entities at nodes, and how their inputs are taken from the values of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from flytenb.bridge.crossing import CrossingValue
from flytenb.model.workflow import Binding, Policy

Key = tuple[str, str]
"""A value of a run: the path of the node that makes it and the name of the output."""
Values = dict[Key, CrossingValue | None]
"""The values of a run; those of a node exist once it has succeeded."""
Getter = Callable[[], Any]
"""Returns an input from the values of earlier nodes, converted again at each call."""
Input = tuple[str, Key | None, int]
"""An input of a node: its name, the value that fills it, and the number of its conversion."""
Unpack = Callable[[CrossingValue | None], Any]
"""Makes an input of the value that fills it, each time afresh."""
PassOn = Callable[[], CrossingValue]
"""Passes a packed value on from the values before it."""
Source = Callable[[Values], CrossingValue | None]
"""Finds the value of an input without an attribute path, whole or by the elements of a list or dict."""


class Use(Protocol):
    """One use of an entity: its node, inputs and outputs.

    Attributes:
        path: the node.
        entity: the entity; None for a branch.
        bindings: the bindings of the inputs.
        inputs: the inputs as a run takes them.
        outputs: the keys of the outputs, by name.
        policy: retries, timeout, cache.
        sources: of a cached task, the values that fill inputs as they are.
    """

    @property
    def path(self) -> str: ...

    @property
    def entity(self) -> Any: ...

    @property
    def bindings(self) -> Mapping[str, Binding]: ...

    @property
    def inputs(self) -> tuple[Input, ...]: ...

    @property
    def outputs(self) -> tuple[tuple[str, Key], ...]: ...

    @property
    def policy(self) -> Policy: ...

    @property
    def sources(self) -> tuple[tuple[str, Source], ...]: ...


@dataclass(slots=True)
class NodeUse:
    """The use of an entity at a node of a workflow. Not changed once it is made."""

    path: str
    entity: Any
    bindings: Mapping[str, Binding]
    inputs: tuple[Input, ...]
    outputs: tuple[tuple[str, Key], ...]
    policy: Policy
    sources: tuple[tuple[str, Source], ...] = ()


class Wires:
    """Inputs of the nodes of one workflow in one run.

    Attributes:
        values: the values of the whole run.
        unpackers: the functions that make inputs, by number.
    """

    __slots__ = ("unpackers", "values")

    def __init__(self, values: Values, unpackers: list[Unpack]) -> None:
        self.values = values
        self.unpackers = unpackers

    def take(self, key: Key | None, number: int) -> Any:
        """Unpack one input."""
        return self.unpackers[number](self.values.get(key))  # type: ignore[arg-type]
