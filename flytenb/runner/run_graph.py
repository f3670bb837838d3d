"""The graph of a run: inputs with the values of the run instead of the defaults of the entity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flytenb.bridge.crossing import CrossingValue
from flytenb.model import Graph, Interface, Node
from flytenb.model.node import Port
from flytenb.wording.types import type_text
from flytenb.wording.values import SHORT, brief

_DOOR = "@inputs"


def input_texts(inputs: Mapping[str, CrossingValue]) -> dict[str, str]:
    """Return the values of the inputs as text, the type of a value that can't be read."""
    return {name: _text_of(value) for name, value in inputs.items()}


def _text_of(value: CrossingValue) -> str:
    try:
        found: Any = value.native()
    except Exception:
        return f"<{type_text(value.python_type)}>"
    return brief(found, SHORT)


def with_inputs(graph: Graph, values: Mapping[str, str]) -> Graph:
    """Return the graph of the entity that runs, with the values of its inputs."""
    nodes = {path: _with_inputs(path, node, values) for path, node in graph.nodes.items()}
    interface = replace(graph.interface, inputs=_filled(graph.interface.inputs, values))
    return replace(graph, nodes=nodes, interface=interface)


def without_defaults(graph: Graph) -> Graph:
    """Return the graph of a node's inside without defaults, since each input of an inner node is bound."""
    return replace(graph, nodes={path: _with_inputs(path, node, {}) for path, node in graph.nodes.items()})


def _with_inputs(path: str, node: Node, values: Mapping[str, str]) -> Node:
    if path == _DOOR:
        return replace(node, interface=Interface(outputs=_filled(node.interface.outputs, values)))
    if all(port.default is None for port in node.interface.inputs):
        return node
    return replace(node, interface=replace(node.interface, inputs=_filled(node.interface.inputs, {})))


def _filled(ports: tuple[Port, ...], values: Mapping[str, str]) -> tuple[Port, ...]:
    return tuple(replace(port, default=values.get(port.name)) for port in ports)
