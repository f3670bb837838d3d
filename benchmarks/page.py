"""The page of a live view: what an update costs it, painting included."""

import sys

from workload import Target, Workload, main

WORKLOAD = Workload(
    name="page",
    sizes=(1000,),
    answer=lambda size: size,
    unit="nodes",
    about="five nodes begin and five end per update, all in view; the plain side is a bare page with as many boxes",
    sides=("plain", "flytenb"),
    targets={1000: Target("median_update_ms", 2.0)},
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
