"""Timeline of a run: when each node ran."""

from __future__ import annotations

from dataclasses import dataclass

from flytenb.runner.node_run import RunOutcome
from flytenb.wording.quantities import duration_text

_WIDTH = 48
_NAME = 32
_TOOK = 12


@dataclass(frozen=True)
class Bar:
    """One node on the timeline.

    Attributes:
        path: the node.
        name: the name of its entity.
        phase: its phase.
        start: seconds from the start of the run.
        duration: seconds.
    """

    path: str
    name: str
    phase: str
    start: float
    duration: float


@dataclass(frozen=True)
class Timeline:
    """The nodes of a run by start; `total` is its duration in seconds."""

    bars: tuple[Bar, ...]
    total: float

    @classmethod
    def read(cls, run: RunOutcome) -> Timeline:
        """Return the timeline of the nodes that have started so far."""
        began = run.started or 0.0
        graph = run.graph
        bars = []
        for node in run.nodes.values():
            if node.started is not None and node.duration is not None:
                name = graph.nodes[node.path].name if node.path in graph.nodes else ""
                bars.append(Bar(node.path, name, str(node.phase), node.started - began, node.duration))
        return cls(tuple(sorted(bars, key=lambda b: (b.start, b.path))), run.duration or 0.0)

    def __repr__(self) -> str:
        if not self.bars:
            return "no node has started"
        scale = _WIDTH / max(self.total, max(b.start + b.duration for b in self.bars), 1e-9)
        lines = []
        for bar in self.bars:
            label = f"{bar.path} {bar.name}"[:_NAME]
            at = min(int(bar.start * scale), _WIDTH - 1)
            length = max(1, min(round(bar.duration * scale), _WIDTH - at))
            drawn = " " * at + "█" * length
            lines.append(f"{label:<{_NAME}} │{drawn:<{_WIDTH}}│ {duration_text(bar.duration):>{_TOOK}}  {bar.phase}")
        return "\n".join([*lines, f"{'':<{_NAME}}  {'total':>{_WIDTH}}  {duration_text(self.total):>{_TOOK}}"])
