"""joblib: a pool and a hash, and no graph, so only the workloads that need none."""

import time
from pathlib import Path
from typing import Any

from editing import Cells
from editing import resume as edited
from joblib import Parallel, delayed
from joblib import hash as digest
from serving import serve


def nap() -> int:
    time.sleep(0.1)
    return 1


def count_odd() -> int:
    odd = 0
    for i in range(3_000_000):
        odd += i & 1
    return odd


def fan_out(size: int) -> int:
    return sum(Parallel(n_jobs=size, backend="threading")(delayed(nap)() for _ in range(size)))


def cpu(size: int) -> int:
    return sum(Parallel(n_jobs=-1)(delayed(count_odd)() for _ in range(size)))


def cache_key(rows: int) -> Any:
    from numpy import ones
    from pandas import DataFrame

    first, other = (DataFrame(ones((rows, 4)), columns=["a", "b", "c", "d"]) for _ in range(2))
    expected = digest(other)
    return lambda: digest(first) == expected


def resume(size: int) -> Any:
    def again(chain: Cells) -> Any:
        def run() -> int:
            x = 0
            for n in range(1, size + 1):
                x = getattr(chain, f"t{n}")(x)
            return x

        return run

    folder = str(Path("~/joblib-resume").expanduser())
    before = f"from joblib import Memory\nmemory = Memory({folder!r}, verbose=0)"
    return edited(size, before, "@memory.cache\n", again)


serve(
    fan_out=lambda size: lambda: fan_out(size),
    cpu=lambda size: lambda: cpu(size),
    cache_key=cache_key,
    resume=resume,
)
