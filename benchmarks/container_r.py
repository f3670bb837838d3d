"""A cell of R on the host against Rscript with the same code."""

import sys

from workload import Target, Workload, main

WORKLOAD = Workload(
    name="container_r",
    sizes=(1000,),
    answer=lambda size: 3,
    unit="points",
    about="a linear model; plain is Rscript, flytenb a cell on the engine host",
    sides=("plain", "flytenb"),
    targets={1000: Target("ratio_to_plain", 1.2)},
    needs="Rscript",
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
