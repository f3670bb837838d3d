"""A chain of tasks that do nothing but add one: what a node costs."""

import sys

from workload import Target, Workload, main

WORKLOAD = Workload(
    name="chain",
    sizes=(10, 100, 1000, 10_000),
    answer=lambda size: size,
    unit="nodes",
    about="each task adds one to what the one before it returned",
    sides=("plain", "flytekit", "flytenb", "hamilton", "dask", "redun", "dagster", "prefect", "flyte"),
    targets={
        10: Target("ratio_to_plain", 2.0),
        100: Target("ratio_to_plain", 1.0),
        1000: Target("ratio_to_plain", 1.0),
        10_000: Target("ratio_to_plain", 1.0),
    },
    most={"flytekit": 1000, "redun": 100, "dagster": 100, "prefect": 100, "flyte": 100, "dask": 1000, "hamilton": 1000},
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
