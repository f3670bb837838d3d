"""Frozen data that all packages share: graphs, interfaces, run events."""

from flytenb.model.event import CacheStatus, NodeState, Phase, RunEvent
from flytenb.model.graph import Graph
from flytenb.model.node import Edge, EdgeKind, Interface, Kind, Node, Port

__all__ = [
    "CacheStatus",
    "Edge",
    "EdgeKind",
    "Graph",
    "Interface",
    "Kind",
    "Node",
    "NodeState",
    "Phase",
    "Port",
    "RunEvent",
]
