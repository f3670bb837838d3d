"""Graphs of compiled workflows, with all that flytekit knows of them; drawing is left to `render`."""

from flytenb.bridge.workflow.graph.builder import graph_of_call, hold_graph, read_graph, read_inner, to_graph

__all__ = ["graph_of_call", "hold_graph", "read_graph", "read_inner", "to_graph"]
