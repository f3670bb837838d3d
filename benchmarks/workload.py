"""A workload: sizes, the right answer, and the command line that measures its sides against each other."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from side import Side, find_sides

LIMIT, PEER, OURS = "plain", "flytekit", "flytenb"


@dataclass(frozen=True)
class Workload:
    """What is measured.

    Attributes:
        name: the function in each `sides/*.py` that does it.
        sizes: the sizes it is measured at.
        answer: size → the result that every side must give before its time is kept.
        unit: what the size counts, in the plural.
        about: one sentence for a reader of the figures.
    """

    name: str
    sizes: tuple[int, ...]
    answer: Callable[[int], Any]
    unit: str
    about: str


@dataclass
class Times:
    """Seconds of each side, one per round."""

    workload: Workload
    size: int
    seconds: dict[str, list[float]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def rows(self) -> Iterator[dict[str, Any]]:
        """One line of figures per side: median, spread, and the ratios of each round's pairs, in the middle."""
        for side, taken in self.seconds.items():
            row: dict[str, Any] = {
                "workload": self.workload.name,
                "size": self.size,
                "side": side,
                "median_s": statistics.median(taken),
                "min_s": min(taken),
                "max_s": max(taken),
                "per_unit_ms": 1000 * statistics.median(taken) / self.size,
                "rounds": len(taken),
            }
            for other in (LIMIT, PEER, OURS):
                if other in self.seconds and other != side:
                    pairs = zip(taken, self.seconds[other], strict=True)
                    row[f"ratio_to_{other}"] = statistics.median(a / b for a, b in pairs)
            yield row
        for side, why in self.failures.items():
            yield {"workload": self.workload.name, "size": self.size, "side": side, "failed": why}


def measure(workload: Workload, size: int, sides: Iterable[Side], rounds: int) -> Times:
    """Time the sides in turn, `rounds` times, after one round to warm up; a wrong answer is a failure, not a time."""
    times = Times(workload, size)
    expected = workload.answer(size)
    alive = [side for side in sides if side.has(workload.name)]
    for number in range(-1, rounds):
        for side in list(alive):
            reply = side.time(workload.name, size)
            why = reply.get("error") or (f"answered {reply['result']!r}" if reply["result"] != expected else "")
            if why:
                times.failures[side.name] = why
                times.seconds.pop(side.name, None)
                alive.remove(side)
            elif number >= 0:
                times.seconds.setdefault(side.name, []).append(reply["seconds"])
    return times


def main(*workloads: Workload) -> int:
    """Measure from the command line: JSON lines on standard output, what is being done on standard error."""
    parser = argparse.ArgumentParser(description=" ".join(w.about for w in workloads) if len(workloads) == 1 else None)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds, at least 5 to count (default: 5)")
    parser.add_argument("--sizes", type=lambda text: tuple(map(int, text.split(","))), help="e.g. 10,100,1000")
    parser.add_argument("--sides", type=lambda text: set(text.split(",")), help="only these, e.g. flytenb,flytekit")
    if len(workloads) > 1:
        parser.add_argument("only", nargs="*", help=f"which of {', '.join(w.name for w in workloads)}; default: all")
    options = parser.parse_args()
    wanted = set(getattr(options, "only", ())) or {w.name for w in workloads}
    if unknown := wanted - {w.name for w in workloads}:
        parser.error(f"no workload {', '.join(sorted(unknown))}")

    is_right = True
    with ExitStack() as open_sides:
        found = find_sides(Path(__file__).parent, options.sides)
        sides = [open_sides.enter_context(side) for side in found]
        for workload in (w for w in workloads if w.name in wanted):
            for size in options.sizes or workload.sizes:
                print(f"{workload.name} of {size} {workload.unit}: {workload.about}", file=sys.stderr)
                times = measure(workload, size, sides, options.rounds)
                for row in times.rows():
                    print(json.dumps(row), flush=True)
                is_right = is_right and OURS not in times.failures
    return 0 if is_right else 1
