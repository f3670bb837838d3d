"""Print the program of a seed and run it: `python -m tests.random_workflows SEED [TIMES]`.

If it goes wrong within TIMES runs (20), a smaller program that goes wrong in the same way is printed too. A range,
`FIRST-END`, runs each seed once and prints what is wrong with the first that goes wrong. Without arguments, ranges are
read from standard input, one in a line; each is run in two processes at once, which have imported all there is to
import before they are forked, and answered with a line of JSON.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import traceback

from flytekit.interfaces.random import random as names

from tests.random_workflows.generator import generate
from tests.random_workflows.oracle import expect
from tests.random_workflows.program import Program
from tests.random_workflows.shrink import attempt_often, shrink
from tests.random_workflows.trial import import_all, own_home, try_program, try_seeds


def show(program: Program) -> None:
    """Print a program as a module."""
    print(f"LOG, SEED, VERSION = '/tmp/log', {program.seed}, '1'\n{program.source()}")
    expected = expect(program)
    print(f"# inputs: {dict(program.inputs)}\n# mode: {program.mode}")
    print(f"# expected: {expected.outputs if not expected.failures else expected.failures}")


def try_range(seeds: range) -> str:
    """Return what is wrong with the programs of these seeds, run in a home of their own."""
    with own_home() as home:
        return try_seeds(seeds, home)


def start(seeds: range) -> tuple[int, int]:
    """Try seeds in a forked process; return its number and the end of the pipe that it writes to."""
    reading, writing = os.pipe()
    number = os.fork()
    if not number:
        names.seed()  # or both would write to the same files
        try:
            wrong = try_range(seeds)
        except BaseException:
            wrong = traceback.format_exc()
        os.write(writing, wrong.encode()[-50_000:] or b"right")
        os._exit(0)
    os.close(writing)
    return number, reading


def answer(number: int, reading: int) -> str:
    """Return what a forked process has found; it may have ended without a word."""
    with open(reading, "rb") as found:
        said = found.read().decode()
    os.waitpid(number, 0)
    return "" if said == "right" else said or "the process ended before its programs"


def serve() -> int:
    """Answer ranges until there are no more."""
    import_all()
    gc.collect()
    gc.freeze()  # collections in the forked processes pass over what was imported
    for line in sys.stdin:
        first, end = map(int, line.split("-"))
        half = (first + end) // 2
        children = [start(range(first, half)), start(range(half, end))]
        print(json.dumps("\n".join(filter(None, (answer(*child) for child in children)))), flush=True)
    return 0


def main() -> int:
    """Return 1 if a program goes wrong."""
    if len(sys.argv) == 1:
        return serve()
    if "-" in sys.argv[1]:
        first, end = map(int, sys.argv[1].split("-"))
        wrong = try_range(range(first, end))
        print(wrong, flush=True)
        return bool(wrong)
    seed, times = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20
    program = generate(seed)
    show(program)
    wrong = attempt_often(program, times, try_program)
    print(f"# {wrong or f'right in {times} runs'}", flush=True)
    if wrong and not wrong.startswith("hangs"):
        print("\n# --- smaller ---")
        smaller = shrink(program, wrong, times, try_program)
        show(smaller)
        print(f"# {attempt_often(smaller, times, try_program)}", flush=True)
    return bool(wrong)


if __name__ == "__main__":
    status = main()
    os._exit(status)  # a run that hangs is left behind
