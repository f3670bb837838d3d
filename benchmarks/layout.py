"""The pictures of a corpus of workflows: their measures, beside those of `dot`, ELK and dagre with their defaults."""

import sys

from workload import Workload, main

WORKLOAD = Workload(
    name="layout",
    sizes=(3, 12, 60, 300),
    answer=lambda size: True,
    unit="nodes",
    about="medians over the corpus (of `through_…` means), folded where flytenb folds; `letter_px` is for 960 pixels",
    sides=("plain", "flytenb", "elk", "dagre"),
    rounds=1,
    needs="dot",
    shown=(
        *("area_kpx", "alike_kpx", "area_to_content", "crossings", "bends", "length_px"),
        *("through_boxes", "through_frames", "through_titles", "height_px", "letter_px"),
    ),
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
