"""A run's progress as a few lines of text, for those who can't watch it: terminals, logs, executed notebooks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from flytenb.display.runs.counts import counts_text, node_counts
from flytenb.display.runs.run_state import RunState
from flytenb.render import captions
from flytenb.wording.values import clean

if TYPE_CHECKING:
    from flytenb.runner.run import Run

_FIRST = 5.0
_LONGEST_PAUSE = 300.0


class Progress:
    """Says where the run stands after 5, 10, 20, 40 … seconds, and at once what a gate asks.

    Args:
        run: what is told of.
        say: prints a line.
        clock: seconds that only grow.
    """

    def __init__(self, run: Run, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._run = run
        self._say: Callable[[str], None] = lambda line: say(clean(line))
        self._clock = clock
        self._state = RunState()
        self._began = clock()
        self._pause = _FIRST
        self._due = self._began + self._pause
        self._asked: set[str] = set()
        run.listen(self._state.take)

    def tick(self) -> None:
        """Say what is due."""
        self._state.read()
        for path, question in self._state.waiting.items():
            if path not in self._asked:
                self._asked.add(path)
                asked = f"{self._run.name}: {path} waits: {question}"
                self._say(f"{asked}\n  {gate_instructions(self._run, path, '--background')}")
        if self._clock() < self._due or self._run.phase.is_terminal:
            return
        counts = counts_text(node_counts(self._state, self._run.graph))
        took = captions.seconds(self._clock() - self._began)
        self._say(f"{self._run.name}: {counts} · {took}")
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        self._due = self._clock() + self._pause


def gate_instructions(run: Run, path: str, background: str) -> str:
    """Return how the gate at a path of a run that blocks its caller is answered."""
    node = run.graph.nodes.get(path)
    is_input = node is not None and node.settings.get("gate") == "input"
    answer, call = ("…", "set_input({}, …)") if is_input else ("True", "approve({})")
    return (
        f"interrupt, then answer beforehand by flytenb.options(answers={{{path!r}: {answer}}}), "
        f"or start it with {background} and call run.{call.format(repr(path))}"
    )


class GatePrinter:
    """Prints what each gate asks to standard error, and how it is answered: for a caller that waits unseen."""

    def __init__(self) -> None:
        self._printed: set[str] = set()

    def look(self, run: Run) -> None:
        """Print what is new."""
        for path, question in run.questions.items():
            if path not in self._printed:
                self._printed.add(path)
                how = gate_instructions(run, path, "flytenb.start(…)")
                print(clean(f"{run.name}: {path} waits: {question}\n  {how}"), file=sys.stderr)  # noqa: T201
