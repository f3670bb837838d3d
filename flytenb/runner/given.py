"""The graph of a run: its inputs with the values that they were given, not with the defaults of the entity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flytenb.bridge.crossing import Value
from flytenb.model import Graph, Interface, Node
from flytenb.model.node import Port
from flytenb.wording.types import type_text
from flytenb.wording.values import SHORT, brief

_DOOR = "@inputs"


def given_in_short(inputs: Mapping[str, Value]) -> dict[str, str]:
    """Return what each input was given in a few characters; a value that can't be read by the name of its type."""
    return {name: _in_short(value) for name, value in inputs.items()}


def _in_short(value: Value) -> str:
    try:
        found: Any = value.native()
    except Exception:
        return f"<{type_text(value.python_type)}>"
    return brief(found, SHORT)


def with_given(graph: Graph, given: Mapping[str, str]) -> Graph:
    """Return the graph of the outermost entity with what its inputs were given."""
    nodes = {path: _of_run(path, node, given) for path, node in graph.nodes.items()}
    interface = replace(graph.interface, inputs=_filled(graph.interface.inputs, given))
    return replace(graph, nodes=nodes, interface=interface)


def without_defaults(graph: Graph) -> Graph:
    """Return the inside of a node as it runs: each input of an inner node is bound, so no default is one."""
    return replace(graph, nodes={path: _of_run(path, node, {}) for path, node in graph.nodes.items()})


def _of_run(path: str, node: Node, given: Mapping[str, str]) -> Node:
    if path == _DOOR:
        return replace(node, interface=Interface(outputs=_filled(node.interface.outputs, given)))
    if all(port.default is None for port in node.interface.inputs):
        return node
    return replace(node, interface=replace(node.interface, inputs=_filled(node.interface.inputs, {})))


def _filled(ports: tuple[Port, ...], given: Mapping[str, str]) -> tuple[Port, ...]:
    return tuple(replace(port, default=given.get(port.name)) for port in ports)
