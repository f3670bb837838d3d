"""A cell that defines a chain and compiles it: what flytenb adds to what flytekit takes."""

import sys

from workload import Target, Workload, main

WORKLOAD = Workload(
    name="define",
    sizes=(1000,),
    answer=lambda size: size,
    unit="nodes",
    about="the same cell in an IPython shell, with and without flytenb loaded",
    sides=("flytekit", "flytenb", "hamilton"),
    targets={1000: Target("ratio_to_flytekit", 1.05)},
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
