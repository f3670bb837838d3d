"""Dataclasses through two tasks: what it costs to carry values over a boundary, isolated from who made them."""

import sys

from workload import Workload, main

WORKLOAD = Workload(
    name="dataclasses_cross",
    sizes=(1000, 10_000),
    answer=lambda size: size * (size - 1) / 2,
    unit="dataclasses",
    about="one task makes a list of them, the next sums a field",
)

if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
