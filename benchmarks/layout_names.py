"""As `layout`, with boxes that only have a name for `dot`, ELK and dagre, which fold nothing."""

import sys
from dataclasses import replace

import layout
from workload import main

WORKLOAD = replace(
    layout.WORKLOAD,
    name="layout_names",
    about="medians over the corpus (of `through_…` means), boxes with names for the others; `letter_px` for 960 px",
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
