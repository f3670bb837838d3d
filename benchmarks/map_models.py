"""A map over small pydantic models: what an element costs whose type has no cheaper way than its literal."""

import sys

from workload import Target, Workload, main

WORKLOAD = Workload(
    name="map_models",
    sizes=(1000,),
    answer=lambda size: size * (size + 1) / 2,
    unit="elements",
    about="each element takes a model of two fields and returns another; a task adds them up",
    sides=("flytekit", "flytenb"),
    targets={1000: Target("ratio_to_flytekit", 0.2)},
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
