"""Progress of a run in a terminal: its drawing, or occasional lines where no terminal shows them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text

from flytenb.display.runs.counts import counts_text, node_counts
from flytenb.display.runs.progress import Progress
from flytenb.display.runs.run_state import RunState
from flytenb.model import Phase
from flytenb.notebook.pages import pages
from flytenb.wording.kinds import phase_words
from flytenb.wording.quantities import duration_text
from flytenb.wording.text import one_line

if TYPE_CHECKING:
    from flytenb.runner.run import Run

_COLORS = {Phase.RUNNING: "blue", Phase.SUCCEEDED: "green", Phase.FAILED: "red", Phase.TIMED_OUT: "red"}
_ROWS = 20
"""Nodes that are listed at a time."""


def follow(run: Run) -> Callable[[], None]:
    """Show a run on standard error until it ends; return what to call when the wait for it is over."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        lines = Progress(run, lambda line: print(line, file=sys.stderr, flush=True))  # noqa: T201
        pages.ticker.add(_Ticks(run, lines.tick))
        return lambda: None
    table = NodeTable(run)
    live = Live(table.text, console=console, auto_refresh=False, transient=True)
    live.start()
    pages.ticker.add(_Ticks(run, lambda: live.update(table.text, refresh=True)))
    return live.stop


class _Ticks:
    """Calls a function until a run is over."""

    def __init__(self, run: Run, update: Callable[[], None]) -> None:
        self._run = run
        self._update = update

    def tick(self) -> bool:
        """Call it once."""
        self._update()
        return not self._run.phase.is_terminal


class NodeTable:
    """The nodes of a run that have begun, the latest last, and how many have ended.

    Args:
        run: the run.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._state = RunState()
        run.listen(self._state.take)

    @property
    def text(self) -> Text:
        """The text as of now."""
        self._state.read()
        took = "" if self._run.duration is None else f" · {duration_text(self._run.duration)}"
        counts = counts_text(node_counts(self._state, self._run.graph))
        shown = Text(f"{one_line(self._run.name)} · {counts}{took}\n")
        nodes = self._run.graph.nodes
        begun = [(p, e) for p, e in self._state.entries.items() if p in nodes and e.phase is not Phase.QUEUED]
        for path, entry in begun[-_ROWS:]:
            question = self._state.waiting.get(path)
            facts = [phase_words(entry.phase)]
            facts += [f"{entry.done}/{entry.total}"] if entry.total else []
            facts += [f"waits: {one_line(question)}"] if question else []
            line = f"  {one_line(path)} {one_line(nodes[path].name)} · {' · '.join(facts)}\n"
            shown.append(line, _COLORS.get(entry.phase, "dim"))
        return shown
