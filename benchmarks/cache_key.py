"""The cache key of a DataFrame of four columns of floats: what it costs, and whether an equal one has the same."""

import sys

from workload import Target, Workload, main

WORKLOAD = Workload(
    name="cache_key",
    sizes=(1_000_000,),
    answer=lambda size: True,
    unit="rows",
    about="one key; the answer is whether an equal frame made anew gets the same one",
    sides=("plain", "flytekit", "flytenb", "joblib"),
    targets={1_000_000: Target("median_s", 0.005)},
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
