"""A 100 MB array through five tasks, each of which changes what it got."""

import sys

from workload import Target, Workload, main

WORKLOAD = Workload(
    name="arrays",
    sizes=(12_500_000,),
    answer=lambda size: [5.0, 1.0],
    unit="floats",
    about="four tasks add one to the first element in place, a fifth reads it; what the caller gave stays as it was",
    targets={12_500_000: Target("ratio_to_plain", 1.3)},
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
