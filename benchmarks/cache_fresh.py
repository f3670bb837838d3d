"""A chain of cached tasks of which nothing has changed: what a hit costs in a process that has just started."""

import sys

from workload import Target, Workload, main

WORKLOAD = Workload(
    name="cache_fresh",
    sizes=(100,),
    answer=lambda size: [size, 0],
    unit="nodes",
    about="a new process each time; only its first run is timed, after imports and compilation",
    targets={100: Target("ratio_to_plain", 1.5)},
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
