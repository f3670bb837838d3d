"""Tasks that sleep for a tenth of a second, none needing another: whether independent nodes run at the same time."""

import sys

from workload import Target, Workload, main

WORKLOAD = Workload(
    name="fan_out",
    sizes=(16,),
    answer=lambda size: size,
    unit="tasks",
    about="each task sleeps 0.1 s; 16 workers",
    sides=("plain", "flytekit", "flytenb", "hamilton", "dask", "redun", "prefect", "joblib", "flyte"),
    targets={16: Target("median_s", 0.105)},
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
