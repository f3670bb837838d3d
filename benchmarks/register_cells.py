"""A notebook's workflow that was edited, registered on a double of a cluster, over the wire."""

import sys

from workload import Target, Workload, main

WORKLOAD = Workload(
    name="register_cells",
    sizes=(50,),
    answer=lambda size: size,
    unit="tasks",
    about="a cell of a kernel is edited, its workflow registered again; flytekit pickles it, flytenb exports a module",
    sides=("flytekit", "flytenb"),
    targets={50: Target("ratio_to_flytekit", 0.5)},
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
