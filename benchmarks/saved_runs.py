"""A notebook of finished runs, one per cell: its size as it is saved."""

import sys

from workload import Target, Workload, main

WORKLOAD = Workload(
    name="saved_runs",
    sizes=(22,),
    answer=lambda size: size,
    unit="runs",
    about="cells that ran a workflow of 12 nodes that pass data frames; the answer counts pictures",
    sides=("flytenb",),
    targets={22: Target("megabytes", 1.2)},
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
