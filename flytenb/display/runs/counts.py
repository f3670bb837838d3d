"""Number of a run's nodes in each phase."""

from __future__ import annotations

from collections import Counter

from flytenb.display.runs.run_state import RunState
from flytenb.model import Graph, Phase
from flytenb.wording.kinds import constant_text
from flytenb.wording.quantities import count_text


def node_counts(state: RunState, graph: Graph) -> Counter[Phase]:
    """Return the number of nodes in each phase, without the elements of maps."""
    return state.counts(path for path, node in graph.nodes.items() if not node.is_pseudo)


def counts_text(counts: Counter[Phase]) -> str:
    """Return `3 of 40 nodes · 2 running · 1 failed`."""
    done, total = finished(counts), counts.total()
    shown = [Phase.RUNNING, Phase.FAILED, Phase.TIMED_OUT, Phase.ABORTED, Phase.SKIPPED]
    parts = [f"{counts[p]} {constant_text(p)}" for p in shown if counts[p]]
    head = count_text(total, "node") if done >= total else f"{done} of {count_text(total, 'node')}"
    return " · ".join([head, *parts])


def finished(counts: Counter[Phase]) -> int:
    """Return the number of nodes that have ended."""
    return sum(number for phase, number in counts.items() if phase.is_terminal)
