"""The layout of pictures by ELK, which node runs."""

from layouts import by_node, measured
from serving import serve

serve(layout=measured(by_node("elk")))
