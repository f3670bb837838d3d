"""The picture of a workflow that is far too big to be read, folded by itself."""

import sys

from workload import Target, Workload, main

WORKLOAD = Workload(
    name="draw_folded",
    sizes=(10_000,),
    answer=lambda size: True,
    unit="nodes",
    about="from the compiled workflow to the text of the picture; the answer is whether it can be read",
    sides=("flytenb",),
    targets={10_000: Target("median_s", 2.0)},
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
