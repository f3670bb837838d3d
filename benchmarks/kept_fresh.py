"""A kept run in a process that has just started: what reading all its values back costs."""

import sys

from workload import Target, Workload, main

WORKLOAD = Workload(
    name="kept_fresh",
    sizes=(100,),
    answer=lambda size: [size, float(sum(range(size)))],
    unit="arrays",
    about="a new process each time; a run whose nodes made an array of 800 kB each, against SQLite rows and numpy.load",
    sides=("plain", "flytenb"),
    targets={100: Target("ratio_to_plain", 1.5)},
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
