"""A run that is watched: what the live view costs it."""

import sys

from workload import Target, Workload, main

WORKLOAD = Workload(
    name="live",
    sizes=(1000,),
    answer=lambda size: size,
    unit="nodes",
    about="independent tasks that sleep 20 ms each, 16 workers, in a kernel; the plain side is the same run unwatched",
    sides=("plain", "flytenb"),
    targets={1000: Target("ratio_to_plain", 1.05)},
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
