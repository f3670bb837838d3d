"""Hundreds of runs in one kernel, each of them shown: whether the pictures leave anything behind."""

import sys

from workload import Target, Workload, main

WORKLOAD = Workload(
    name="memory_shown",
    sizes=(500,),
    answer=lambda size: size * 10,
    unit="runs",
    about="as `memory`, with the extension loaded: every run draws itself in the cell's output",
    sides=("flytenb",),
    targets={500: Target("files", 0)},
    rounds=1,
)

if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
