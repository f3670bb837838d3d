"""The layout of pictures by dagre, which node runs."""

from layouts import by_node, measured
from serving import serve

by_dagre = by_node("dagre")
serve(layout=measured(by_dagre), layout_names=measured(by_dagre, has_equal_boxes=False))
