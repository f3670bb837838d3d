"""A chain of cached tasks of which nothing has changed: what a hit costs in the process that stored it."""

import sys

from workload import Target, Workload, main

WORKLOAD = Workload(
    name="cache_same",
    sizes=(100,),
    answer=lambda size: [size, 0],
    unit="nodes",
    about="every node is answered from the cache; the answer counts the bodies that ran all the same",
    sides=("plain", "flytekit", "flytenb", "hamilton"),
    targets={100: Target("ratio_to_plain", 1.2)},
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
