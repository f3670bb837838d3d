"""A map over a list whose elements sleep: whether elements run at the same time."""

import sys

from workload import Target, Workload, main

WORKLOAD = Workload(
    name="map_tasks",
    sizes=(100,),
    answer=lambda size: size * (size + 1) // 2,
    unit="elements",
    about="each element sleeps 0.05 s and adds one; 16 workers; a task adds them up",
    targets={100: Target("ratio_to_plain", 1.03)},
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
