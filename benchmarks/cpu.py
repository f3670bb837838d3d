"""Pure Python that computes: whether tasks in processes use every processor."""

import sys

from workload import Target, Workload, main

WORKLOAD = Workload(
    name="cpu",
    sizes=(8,),
    answer=lambda size: size * 1_500_000,
    unit="tasks",
    about="each task adds up three million numbers in a loop; as many processes as processors, started beforehand",
    sides=("plain", "flytekit", "flytenb", "dask", "joblib"),
    targets={8: Target("ratio_to_plain", 1.1)},
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
