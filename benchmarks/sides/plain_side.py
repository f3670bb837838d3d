"""The plain limit: the standard library's own way to do the same, with a pool of threads and pickle for isolation."""

import pickle
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import path  # noqa: F401
from side import serve

pool = ThreadPoolExecutor(16)


@dataclass
class Point:
    x: float
    name: str


def add_one(x: int) -> int:
    return x + 1


def nap() -> int:
    time.sleep(0.1)
    return 1


def chain(size: int) -> int:
    x = 0
    for _ in range(size):
        x = pool.submit(add_one, x).result()
    return x


def fan_out(size: int) -> int:
    naps = [pool.submit(nap) for _ in range(size)]
    return sum(n.result() for n in naps)


def dataclasses_cross(size: int) -> float:
    points = [Point(float(i), f"p{i}") for i in range(size)]
    return sum(p.x for p in pickle.loads(pickle.dumps(points, protocol=5)))


serve(
    chain=lambda size: lambda: chain(size),
    fan_out=lambda size: lambda: fan_out(size),
    dataclasses_cross=lambda size: lambda: dataclasses_cross(size),
)
