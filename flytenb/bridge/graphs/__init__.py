"""A compiled workflow as a `Graph`: what flytekit knows, told truthfully; how it looks is left to `render`."""

from flytenb.bridge.graphs.paths import Scope, name_nodes
from flytenb.bridge.graphs.reader import read_graph, read_inner

__all__ = ["Scope", "name_nodes", "read_graph", "read_inner"]
