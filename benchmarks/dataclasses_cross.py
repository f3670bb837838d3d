"""Dataclasses through two tasks: what it costs to carry values over a boundary, isolated from who made them."""

import sys

from workload import Target, Workload, main

WORKLOAD = Workload(
    name="dataclasses_cross",
    sizes=(1000, 10_000),
    answer=lambda size: size * (size + 1) / 2,
    unit="dataclasses",
    about="the caller gives a list of them, one task makes a list that is moved by one, the next sums a field",
    sides=("plain", "flytekit", "flytenb", "hamilton", "dask", "redun", "dagster", "prefect"),
    targets={10_000: Target("ratio_to_plain", 2.0)},
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
