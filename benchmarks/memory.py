"""Thousands of runs in one kernel: whether anything is left behind."""

import sys

from workload import Target, Workload, main

WORKLOAD = Workload(
    name="memory",
    sizes=(1000, 10_000),
    answer=lambda size: size * 10,
    unit="runs",
    about="a chain of ten nodes run over and over; figures are what has been added since the first hundred runs",
    sides=("flytekit", "flytenb"),
    targets={10_000: Target("files", 0)},
    most={"flytekit": 1000},
    rounds=1,
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
