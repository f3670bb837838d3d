"""A compiled workflow as a `Graph`: what flytekit knows, told truthfully; how it looks is left to `render`."""

from flytenb.bridge.workflow.graph.reader import read_graph, read_inner
from flytenb.bridge.workflow.node_paths import Scope, name_nodes

__all__ = ["Scope", "name_nodes", "read_graph", "read_inner"]
