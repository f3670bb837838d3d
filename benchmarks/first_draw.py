"""The first drawing in a notebook, from before  until the picture is there."""

import sys

from workload import Target, Workload, main

WORKLOAD = Workload(
    name="first_draw",
    sizes=(100,),
    answer=lambda size: size,
    unit="nodes",
    about="a new kernel each time: load, define, draw in three cells; flytekit imports and compiles, and draws nothing",
    sides=("flytekit", "flytenb"),
    targets={100: Target("median_s", 1.0)},
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
