"""What an eager task called, as the node that it turned out to contain."""

from __future__ import annotations

from typing import Any

from flytenb.bridge.entities.interface import inner_workflow, kind_of, read_interface, read_settings, short_name
from flytenb.bridge.workflow.graph.reader import read_inner
from flytenb.model import Graph, Kind, Node


def read_called(entity: Any, path: str) -> Graph:
    """Read an entity that was called at run time as one node at `path`, with its inside if it is a workflow."""
    kind = kind_of(entity)
    node = Node(path, kind, short_name(entity), read_interface(entity), read_settings(entity))
    graph = Graph(node.name, kind, {path: node})
    workflow = None if kind is Kind.MAP else inner_workflow(entity)
    return graph if workflow is None else graph.merged(read_inner(workflow, path), path)
