"""Loading into a notebook kernel that is ready: how long a person waits."""

import sys

from workload import Target, Workload, main

WORKLOAD = Workload(
    name="load",
    sizes=(1,),
    answer=lambda size: True,
    unit="kernel",
    about="a new kernel each time; `%load_ext flytenb`, against importing flytekit and a bare `%load_ext autoreload`",
    targets={1: Target("median_s", 0.05)},
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
