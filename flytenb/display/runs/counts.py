"""Number of a run's nodes in each phase."""

from __future__ import annotations

from collections import Counter

from flytenb.display.runs.run_state import RunState
from flytenb.model import Graph, Phase
from flytenb.wording.kinds import phase_words
from flytenb.wording.quantities import count_text

_SHOWN = (Phase.RUNNING, Phase.FAILED, Phase.TIMED_OUT, Phase.ABORTED, Phase.SKIPPED)


def node_counts(state: RunState, graph: Graph) -> Counter[tuple[Phase, bool]]:
    """Return the number of nodes in each phase, with whether they have started; elements of maps aren't counted."""
    return state.counts(path for path, node in graph.nodes.items() if not node.is_pseudo)


def counts_text(counts: Counter[tuple[Phase, bool]]) -> str:
    """Return `3 of 40 nodes · 2 running · 1 failed · 4 did not run`."""
    done, total = finished(counts), counts.total()
    texts: Counter[str] = Counter()
    for phase in _SHOWN:
        for has_started in (True, False):
            texts[phase_words(phase, has_started=has_started)] += counts[phase, has_started]
    parts = [f"{number} {words}" for words, number in texts.items() if number]
    head = count_text(total, "node") if done >= total else f"{done} of {count_text(total, 'node')}"
    return " · ".join([head, *parts])


def finished(counts: Counter[tuple[Phase, bool]]) -> int:
    """Return the number of nodes that have ended."""
    return sum(number for (phase, _), number in counts.items() if phase.is_terminal)
