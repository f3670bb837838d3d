"""Print the program of a seed and run it: `python -m tests.random_workflows SEED [TIMES]`.

If it goes wrong within TIMES runs (20), a smaller program that goes wrong in the same way is printed too. A range,
`FIRST-END`, runs each seed once and prints what is wrong with the first that goes wrong.
"""

from __future__ import annotations

import os
import sys

from tests.random_workflows.generator import generate
from tests.random_workflows.oracle import expect
from tests.random_workflows.program import Program
from tests.random_workflows.shrink import attempt_often, shrink
from tests.random_workflows.trial import own_home, try_program, try_seeds


def show(program: Program) -> None:
    """Print a program as a module."""
    print(f"LOG, SEED, VERSION = '/tmp/log', {program.seed}, '1'\n{program.source()}")
    expected = expect(program)
    print(f"# inputs: {dict(program.inputs)}\n# mode: {program.mode}")
    print(f"# expected: {expected.outputs if not expected.failures else expected.failures}")


def main() -> int:
    """Return 1 if a program goes wrong."""
    if "-" in sys.argv[1]:
        first, end = map(int, sys.argv[1].split("-"))
        with own_home() as home:
            wrong = try_seeds(range(first, end), home)
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
