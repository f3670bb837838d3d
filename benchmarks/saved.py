"""A notebook of drawings, one per cell: its size as it is saved."""

import sys

from workload import Target, Workload, main

WORKLOAD = Workload(
    name="saved",
    sizes=(22,),
    answer=lambda size: size,
    unit="drawings",
    about="cells that draw a workflow of 12 nodes with subworkflows, a map and a branch; the answer counts pictures",
    sides=("flytenb",),
    targets={22: Target("megabytes", 0.5)},
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
