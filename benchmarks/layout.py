"""The layouts of a corpus of workflows: their measures, beside those of `dot`, ELK and dagre with their defaults.

All lay out the same boxes, those of flytenb's drawings.
"""

import sys

from workload import Workload, main

WORKLOAD = Workload(
    name="layout",
    sizes=(3, 12, 60, 300),
    answer=lambda size: True,
    unit="nodes",
    about="medians over the corpus (of `through_…` means), the same boxes for all; `letter_px` for 960 px",
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
