"""A look at an unchanged workflow whose tasks share helpers: whether its code is what it was when it last ran."""

import sys

from workload import Target, Workload, main

WORKLOAD = Workload(
    name="look",
    sizes=(100,),
    answer=lambda size: True,
    unit="tasks",
    about="all that is compared after a cell that changes nothing, and the code of the workflow then",
    sides=("flytenb",),
    targets={100: Target("cpu_s", 0.002)},
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
