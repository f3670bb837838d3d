"""Progress of a run as occasional lines of text, for terminals, logs and executed notebooks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from flytenb.display.runs.counts import counts_text, node_counts
from flytenb.display.runs.run_state import RunState
from flytenb.wording.quantities import duration_text
from flytenb.wording.values import clean

if TYPE_CHECKING:
    from flytenb.runner.run import Run

FIRST = 5.0
"""Seconds until the first line."""
FIRST_IN_TERMINAL = 1.0
"""The same in a terminal, which isn't saved."""
_LONGEST_PAUSE = 300.0


class Progress:
    """Prints a run's progress after 5, 10, 20, 40 … seconds or from another time on, and a gate's question at once.

    Args:
        run: the run.
        say: prints a line.
        clock: monotonic clock in seconds.
        first: seconds until the first line, `FIRST` by default.
    """

    def __init__(
        self,
        run: Run,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        *,
        first: float | None = None,
    ) -> None:
        self._run = run
        self._say: Callable[[str], None] = lambda line: say(clean(line))
        self._clock = clock
        self._state = RunState()
        self._began = clock()
        self._pause = first or FIRST
        self._due = self._began + self._pause
        self._announced: set[str] = set()
        self._notice = ""
        run.listen(self._state.take)

    def tick(self) -> None:
        """Print what is due."""
        self._state.read()
        for path, question in self._state.waiting.items():
            if path not in self._announced:
                self._announced.add(path)
                line = f"{self._run.name}: {path} waits: {question}"
                self._say(f"{line}\n  {gate_instructions(self._run, path, '--background')}")
        notice = self._state.run.text
        if notice != self._notice and not self._run.phase.is_terminal:
            self._notice = notice
            self._say(f"{self._run.name}: {notice or 'it is followed again'}")
        if self._clock() < self._due or self._run.phase.is_terminal:
            return
        counts = counts_text(node_counts(self._state, self._run.graph))
        took = duration_text(self._clock() - self._began)
        self._say(f"{self._run.name}: {counts} · {took}")
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        self._due = self._clock() + self._pause


def gate_instructions(run: Run, path: str, background: str) -> str:
    """Return instructions for answering a gate of a run that blocks its caller."""
    node = run.graph.nodes.get(path)
    is_input = node is not None and node.settings.get("gate") == "input"
    answer, call = ("…", "set_input({}, …)") if is_input else ("True", "approve({})")
    return (
        f"interrupt, then answer beforehand by flytenb.options(answers={{{path!r}: {answer}}}), "
        f"or start it with {background} and call run.{call.format(repr(path))}"
    )


class GatePrinter:
    """Prints each gate's question and instructions to standard error, for a caller that blocks without a view."""

    def __init__(self) -> None:
        self._printed: set[str] = set()

    def print_new(self, run: Run) -> None:
        """Print new questions."""
        for path, question in run.questions.items():
            if path not in self._printed:
                self._printed.add(path)
                how = gate_instructions(run, path, "flytenb.start(…)")
                print(clean(f"{run.name}: {path} waits: {question}\n  {how}"), file=sys.stderr)  # noqa: T201
