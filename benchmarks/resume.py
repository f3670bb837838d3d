"""A chain of which one task is edited: what the next run costs, from the edit to the result, and which bodies run.

With 100 tasks the edit of task 90 has 11 bodies to run if it gives a new value (`bodies`), 1 if it gives the same value
(`bodies_same`), none if only a comment is new (`bodies_comment`).
"""

import sys

from workload import Workload, main

WORKLOAD = Workload(
    name="resume",
    sizes=(100, 1000),
    answer=lambda size: True,
    unit="nodes",
    about="the task at nine tenths of the chain is defined again, and the chain run again",
    sides=("plain", "flytekit", "flytenb", "hamilton", "joblib", "redun"),
    most={"flytekit": 100, "hamilton": 100, "redun": 100},
)


if __name__ == "__main__":
    sys.exit(main(WORKLOAD))
