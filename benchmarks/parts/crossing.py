"""The crossing by itself: values over node boundaries, against the plainest thing that isolates them as well.

Sides take turns in one process; every answer is checked before its time is kept. JSON lines on standard output.
"""

from __future__ import annotations

import argparse
import json
import pickle
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from flytenb.bridge.crossing import box_packer, packer, unpacker

NODES = 5
"""A chain of so many nodes has a boundary less, plus the one to whoever asked."""


@dataclass
class Point:
    x: float
    y: float
    metadata: dict[str, float] = field(default_factory=dict)


@dataclass
class Part:
    """One comparison.

    Attributes:
        limit: what the other side is called.
        make: a value for one round.
        ours, theirs: carry it over `boundaries` boundaries and return what arrives.
        is_right: whether what arrived is what was made.
        repeat: how often within one timing, for what is too short to time.
    """

    name: str
    limit: str
    boundaries: int
    make: Callable[[], Any]
    ours: Callable[[Any], Any]
    theirs: Callable[[Any], Any]
    is_right: Callable[[Any, Any], bool]
    repeat: int = 1


def over(python_type: Any, boundaries: int, *, strict: bool = False) -> Callable[[Any], Any]:
    """Pack and take, so many times over."""
    pack = packer(python_type, strict=strict)
    take = unpacker(python_type, python_type, strict=strict)

    def cross(value: Any) -> Any:
        for _ in range(boundaries):
            value = take(pack(value))
        return value

    return cross


def handed_over(python_type: Any, boundaries: int) -> Callable[[Any], Any]:
    """The same for nodes that let go of what they return."""
    give = box_packer(python_type)
    take = unpacker(python_type, python_type)

    def cross(value: Any) -> Any:
        box = [value.copy()]  # what the first node makes
        for _ in range(boundaries):
            box = [take(give(box))]
        return box[0]

    return cross


def times(boundaries: int, copy: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The plain side: one copy per boundary."""

    def cross(value: Any) -> Any:
        for _ in range(boundaries):
            value = copy(value)
        return value

    return cross


def points() -> list[Point]:
    return [Point(float(i), i / 2, {"a": 1.0, "b": float(i)}) for i in range(10_000)]


PARTS = [
    Part("int", "literal", 1, lambda: 3, over(int, 1), over(int, 1, strict=True), lambda a, b: a == b, repeat=2000),
    Part("str", "literal", 1, lambda: "é", over(str, 1), over(str, 1, strict=True), lambda a, b: a == b, repeat=2000),
    Part(
        "optional", "literal", 1, lambda: 3, over(int | None, 1), over(int | None, 1, strict=True),
        lambda a, b: a == b, repeat=500,
    ),
    Part(
        "dataclass", "pickle", 1, lambda: points()[5], over(Point, 1),
        times(1, lambda v: pickle.loads(pickle.dumps(v, 5))), lambda a, b: a == b and a is not b, repeat=500,
    ),
    Part(
        "dataclasses", "pickle", 2, points, over(list[Point], 2),
        times(2, lambda v: pickle.loads(pickle.dumps(v, 5))), lambda a, b: a == b and a[0] is not b[0],
    ),
    Part(
        "array", "memcpy", NODES, lambda: np.random.default_rng(0).random(12_500_000), handed_over(np.ndarray, NODES),
        times(NODES + 1, np.copy), np.array_equal,
    ),
    Part(
        "frame", "copy", NODES, lambda: pd.DataFrame(np.ones((1_000_000, 4)), columns=list("abcd")),
        over(pd.DataFrame, NODES), times(NODES, lambda v: v.copy()), lambda a, b: a.equals(b),
    ),
]  # fmt: skip


def measure(part: Part, rounds: int) -> dict[str, Any]:
    """Time both sides in turn and return a row of figures."""
    taken: dict[str, list[float]] = {"ours": [], "theirs": []}
    made = part.make()
    for number in range(-1, rounds):
        for side, cross in (("ours", part.ours), ("theirs", part.theirs)):
            start = time.perf_counter()
            for _ in range(part.repeat):
                arrived = cross(made)
            seconds = (time.perf_counter() - start) / part.repeat
            if not part.is_right(made, arrived):
                raise SystemExit(f"{part.name}: {side} brought something else")
            if number >= 0:
                taken[side].append(seconds)
    pairs = zip(taken["ours"], taken["theirs"], strict=True)
    return {
        "part": part.name,
        "boundaries": part.boundaries,
        "median_ms": 1000 * statistics.median(taken["ours"]),
        "min_ms": 1000 * min(taken["ours"]),
        "max_ms": 1000 * max(taken["ours"]),
        f"{part.limit}_median_ms": 1000 * statistics.median(taken["theirs"]),
        f"ratio_to_{part.limit}": statistics.median(a / b for a, b in pairs),
        "rounds": rounds,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="interleaved rounds, at least 5 to count (default: 7)")
    parser.add_argument("only", nargs="*", help=f"which of {', '.join(p.name for p in PARTS)}; default: all")
    options = parser.parse_args()
    wanted = set(options.only) or {p.name for p in PARTS}
    if unknown := wanted - {p.name for p in PARTS}:
        parser.error(f"no part {', '.join(sorted(unknown))}")
    for part in PARTS:
        if part.name in wanted:
            print(json.dumps(measure(part, options.rounds)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
