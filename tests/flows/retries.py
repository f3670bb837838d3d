"""A task that fails twice before it works, and may."""

from collections import Counter

from flytekit import task, workflow
from flytekit.exceptions.user import FlyteRecoverableException

attempts: Counter[int] = Counter()


@task(retries=2)
def flaky(x: int) -> int:
    attempts[x] += 1
    if attempts[x] < 3:
        raise FlyteRecoverableException(f"attempt {attempts[x]} failed")
    del attempts[x]  # so that the next run starts anew
    return x + 1


@workflow
def retries(x: int) -> int:
    return flaky(x=x)


ENTITY = retries
INPUTS = {"x": 1}
EXPECTED = 2
FLYTEKIT_LOCAL = "retries are not tried"
NEEDS = {"one_process"}  # it counts in a global, and every process has its own
