"""The layout of pictures by ELK, which node runs."""

from layouts import by_node, measured
from serving import serve

by_elk = by_node("elk")
serve(layout=measured(by_elk), layout_names=measured(by_elk, has_equal_boxes=False))
