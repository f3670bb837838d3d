"""joblib: a pool, and no graph, so only the workload that needs none."""

import time

import path  # noqa: F401
from joblib import Parallel, delayed
from side import serve


def nap() -> int:
    time.sleep(0.1)
    return 1


def fan_out(size: int) -> int:
    return sum(Parallel(n_jobs=size, backend="threading")(delayed(nap)() for _ in range(size)))


serve(fan_out=lambda size: lambda: fan_out(size))
