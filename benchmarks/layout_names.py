"""As `layout`, with boxes that only have a name for `dot`, ELK and dagre, which fold nothing."""

import sys

from workload import Workload, main

WORKLOAD = Workload(
    name="layout_names",
    sizes=(3, 12, 60, 300),
    answer=lambda size: True,
    unit="nodes",
    about="medians over the corpus (of `through_…` means), boxes with names for the others; `letter_px` for 960 px",
    sides=("plain", "flytenb", "elk", "dagre"),
    rounds=1,
    needs="dot",
    shown=(
        *("area_kpx", "area_to_content", "crossings", "bends", "length_px"),
        *("through_boxes", "through_frames", "through_titles", "height_px", "letter_px"),
    ),
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
