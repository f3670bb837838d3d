"""The pictures of a corpus of workflows: their measures, beside those of `dot`, ELK and dagre with their defaults."""

import sys

from workload import Workload, main

WORKLOAD = Workload(
    name="layout",
    sizes=(12, 60, 300),
    answer=lambda size: True,
    unit="nodes",
    about="medians over the corpus, folded where flytenb folds; `letter_px` is for a width of 960 pixels",
    sides=("plain", "flytenb", "elk", "dagre"),
    rounds=1,
    most={"elk": 100},
    needs="dot",
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
