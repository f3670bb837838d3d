"""An SVG of a layered workflow, from the compiled workflow to the text of the picture, nothing folded."""

import sys

from workload import Target, Workload, main

WORKLOAD = Workload(
    name="draw",
    sizes=(100, 1000),
    answer=lambda size: size,
    unit="nodes",
    about="each node takes two outputs of the layer above; the plain side is the program `dot` on the same graph",
    sides=("plain", "flytenb", "hamilton"),
    targets={100: Target("ratio_to_plain", 1.0), 1000: Target("ratio_to_plain", 1.0)},
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
