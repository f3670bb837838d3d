"""What a side does when it is asked: do a workload, take its time, answer in JSON; needs only the standard library."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Prepare = Callable[[int], Callable[[], Any]]
"""Takes a size, gets everything ready, and returns what is timed; that returns the answer, or `Measured`."""


@dataclass(frozen=True)
class Measured:
    """An answer whose time was taken elsewhere, such as inside a fresh process.

    Attributes:
        seconds: how long it took.
        result: the answer.
        also: further figures, by name.
    """

    seconds: float
    result: Any
    also: dict[str, float] = field(default_factory=dict)


def serve(**workloads: Prepare) -> None:
    """Answer on standard output, as JSON, each `[workload, size]` that comes on standard input.

    What is prepared is kept, so that a second round times the work alone. Only the answers go to standard output.
    """
    answers, sys.stdout = sys.stdout, sys.stderr
    prepared: dict[tuple[str, int], Callable[[], Any]] = {}
    for line in sys.stdin:
        name, size = json.loads(line)
        try:
            if (name, size) not in prepared:
                prepared[name, size] = workloads[name](size)
            start, worked = time.perf_counter(), time.process_time()
            result = prepared[name, size]()
            seconds, worked = time.perf_counter() - start, time.process_time() - worked
            found = result if isinstance(result, Measured) else Measured(seconds, result, {"cpu_s": worked})
            reply = {"seconds": found.seconds, "result": found.result, "also": found.also}
        except Exception as error:  # a side that can't is a row of the table, not the end of it
            reply = {"error": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps(reply), file=answers, flush=True)
