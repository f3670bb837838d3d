"""A DataFrame of four columns of floats through five tasks, each of which changes what it got."""

import sys

from workload import Target, Workload, main

WORKLOAD = Workload(
    name="frames",
    sizes=(1_000_000,),
    answer=lambda size: [5.0, 1.0],
    unit="rows",
    about="four tasks add one to the first cell in place, a fifth reads it; what the caller gave stays as it was",
    targets={1_000_000: Target("ratio_to_plain", 1.0)},
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
