"""Graphs as JSON text: fields by name, nodes and edges as lists."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from mashumaro.codecs.basic import BasicDecoder, BasicEncoder

from flytenb.errors import UsageError, closest
from flytenb.model.node import Edge, Interface, Kind, Node, Setting


@dataclass(frozen=True)
class StoredGraph:
    """The fields of a graph; nodes hold their own paths."""

    name: str
    kind: Kind
    interface: Interface
    settings: Mapping[str, Setting]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


_encoder = BasicEncoder(StoredGraph)
_decoder = BasicDecoder(StoredGraph)


def write(stored: StoredGraph, indent: int | None = None) -> str:
    """Return a graph as JSON text."""
    return json.dumps(_encoder.encode(stored), ensure_ascii=False, indent=indent)


def read(text: str) -> StoredGraph:
    """Read a graph from JSON text.

    Raises:
        UsageError: if the text isn't a graph, with the place in it.
    """
    try:
        stored = _decoder.decode(json.loads(text))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise UsageError(
            f"expected a graph as JSON, got another text: {error}", hint="use the text of Graph.to_json()"
        ) from None
    nodes = {node.path: node for node in stored.nodes}
    for edge in stored.edges:
        for path in (edge.source, edge.target):
            if path not in nodes:
                raise UsageError(f"unknown node {path!r} in an edge", hint=closest(path, nodes))
    return stored
