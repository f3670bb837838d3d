"""A workload: sizes, the right answer, and the command line that measures its sides against each other."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from side import Side, python_of

LIMIT, PEER, OURS = "plain", "flytekit", "flytenb"


@dataclass(frozen=True)
class Target:
    """What flytenb must reach: a figure of its row and the most that it may be."""

    figure: str
    most: float

    def is_reached(self, row: Mapping[str, Any]) -> bool | None:
        """Whether a row does; None if it lacks the figure, since the other side wasn't measured."""
        return None if self.figure not in row else bool(row[self.figure] <= self.most)

    def __str__(self) -> str:
        return f"{self.figure} ≤ {self.most:g}"


@dataclass(frozen=True)
class Workload:
    """What is measured.

    Attributes:
        name: what the sides call it.
        sizes: the sizes it is measured at.
        answer: size → the result that every side must give before its time is kept.
        unit: what the size counts, in the plural.
        about: one sentence for a reader of the figures.
        sides: who does it; those that aren't installed are left out.
        targets: by size, what flytenb must reach.
        most: by side, the size beyond which it would take minutes and isn't asked.
        rounds: no more rounds than these, for what is long by nature.
        needs: a program without which nothing is measured.
        shown: further figures of the sides that are also printed as a table for people.
    """

    name: str
    sizes: tuple[int, ...]
    answer: Callable[[int], Any]
    unit: str
    about: str
    sides: tuple[str, ...] = (LIMIT, PEER, OURS)
    targets: Mapping[int, Target] = field(default_factory=dict)
    most: Mapping[str, int] = field(default_factory=dict)
    rounds: int | None = None
    needs: str = ""
    shown: tuple[str, ...] = ()

    def sides_for(self, size: int, only: set[str] | None) -> list[str]:
        """The sides that are installed, wanted, and quick enough at this size."""
        if self.needs and shutil.which(self.needs, path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
            return []
        return [
            name
            for name in self.sides
            if (only is None or name in only) and size <= self.most.get(name, size) and python_of(name).exists()
        ]


@dataclass
class Times:
    """Seconds of each side, one per round, and its further figures."""

    workload: Workload
    size: int
    seconds: dict[str, list[float]] = field(default_factory=dict)
    also: dict[str, list[dict[str, float]]] = field(default_factory=dict)
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
                "load": os.getloadavg()[0],
            }
            for other in (LIMIT, PEER, OURS):
                if other in self.seconds and other != side:
                    ratios = sorted(a / b for a, b in zip(taken, self.seconds[other], strict=True))
                    row[f"ratio_to_{other}"] = statistics.median(ratios)
                    above = [a - b for a, b in zip(taken, self.seconds[other], strict=True)]
                    row[f"above_{other}_s"] = statistics.median(above) / self.size
                    row[f"ratio_to_{other}_spread"] = [ratios[0], ratios[-1]]
                    row |= self._cpu_ratio(side, other)
            for name in self.also[side][0]:
                row[name] = statistics.median(figures[name] for figures in self.also[side])
            target = self.workload.targets.get(self.size)
            if side == OURS and target is not None:
                row |= {"target": str(target), "is_reached": target.is_reached(row)}
            yield row
        for side, why in self.failures.items():
            yield {"workload": self.workload.name, "size": self.size, "side": side, "failed": why}

    def _cpu_ratio(self, side: str, other: str) -> dict[str, float]:
        """The ratio in processor time, which a busy machine changes less; only where both did the work themselves."""
        pairs = zip(self.also[side], self.also[other], strict=True)
        ratios = [a["cpu_s"] / b["cpu_s"] for a, b in pairs if a.get("cpu_s") and b.get("cpu_s")]
        return {f"cpu_ratio_to_{other}": statistics.median(ratios)} if ratios else {}


def measure(workload: Workload, size: int, sides: Iterable[Side], rounds: int) -> Times:
    """Time the sides in turn, `rounds` times, after one round to warm up; a wrong answer is a failure, not a time."""
    times = Times(workload, size)
    expected = workload.answer(size)
    alive = list(sides)
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
                times.also.setdefault(side.name, []).append(reply["also"])
    return times


def table(rows: list[dict[str, Any]], names: tuple[str, ...]) -> Iterator[str]:
    """Yield the lines of a table: a line for each figure, a column for each side."""
    rows = [row for row in rows if all(name in row for name in names)]
    if not rows or not names:
        return
    yield " " * 16 + "".join(f"{row['side']:>12}" for row in rows)
    for name in names:
        yield f"{name:16}" + "".join(f"{row[name]:12,.2f}" for row in rows)


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
    with tempfile.TemporaryDirectory(prefix="flytenb-benchmarks-") as home:
        for workload in (w for w in workloads if w.name in wanted):
            for size in options.sizes or workload.sizes:
                print(f"{workload.name} of {size} {workload.unit}: {workload.about}", file=sys.stderr)
                rounds = min(options.rounds, workload.rounds or options.rounds)
                with ExitStack() as running:
                    names = workload.sides_for(size, options.sides)
                    sides = [running.enter_context(Side(name, Path(home))) for name in names]
                    times = measure(workload, size, sides, rounds)
                rows = list(times.rows())
                for row in rows:
                    print(json.dumps(row), flush=True)
                    if "target" in row:
                        print(f"  {'reached' if row['is_reached'] else 'MISSED'}: {row['target']}", file=sys.stderr)
                for line in table(rows, workload.shown):
                    print(line, file=sys.stderr)
                is_right = is_right and OURS not in times.failures
    return 0 if is_right else 1
