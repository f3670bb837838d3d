"""A chain of tasks that do nothing but add one: what a node costs."""

import sys

from workload import Workload, main

WORKLOAD = Workload(
    name="chain",
    sizes=(10, 100, 1000),
    answer=lambda size: size,
    unit="nodes",
    about="each task adds one to what the one before it returned",
)

if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
