"""A cell of the shell in busybox: what a round trip through bubblewrap costs above bubblewrap's own start to end."""

import sys

from workload import Target, Workload, main

WORKLOAD = Workload(
    name="container_bubblewrap",
    sizes=(5,),
    answer=lambda size: size,
    unit="round trips",
    about="each adds one in a container of busybox; plain is the container alone, without files and types",
    sides=("plain", "flytenb"),
    targets={5: Target("above_plain_s", 0.05)},
    needs="bwrap",
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
