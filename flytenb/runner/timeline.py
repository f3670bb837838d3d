"""Timeline of a run: when each node ran."""

from __future__ import annotations

from dataclasses import dataclass

from flytenb.model import CacheStatus
from flytenb.runner.critical_path import critical_path
from flytenb.runner.node_run import RunOutcome
from flytenb.wording.kinds import constant_text, phase_sign
from flytenb.wording.quantities import duration_text

_WIDTH = 48
_NAME = 32
_TOOK = 12


@dataclass(frozen=True)
class Bar:
    """One node on the timeline.

    Attributes:
        path: the node.
        name: the name of its entity, for an element of a map `name[0]`.
        phase: its phase, or `REUSED` for a node that has its outputs from an earlier run.
        start: seconds from the start of the run.
        duration: seconds.
        is_critical: whether it is on the critical path: a shorter duration of it would have ended the run earlier.
    """

    path: str
    name: str
    phase: str
    start: float
    duration: float
    is_critical: bool = False


@dataclass(frozen=True)
class Timeline:
    """The nodes of a run by start; `total` is its duration in seconds."""

    bars: tuple[Bar, ...]
    total: float

    @property
    def scale(self) -> float:
        """Seconds from the start of the run to the end of its last node, or of the run."""
        return max(self.total, max((bar.start + bar.duration for bar in self.bars), default=0.0), 1e-9)

    @classmethod
    def read(cls, run: RunOutcome) -> Timeline:
        """Return the timeline of the nodes that have started so far."""
        began = run.started or 0.0
        graph, names = run.graph, run.nodes.names()
        nodes = [(node, node.started - began, node.duration or 0.0) for node in run.nodes.values() if node.started]
        critical = critical_path(graph, {node.path: (start, start + took) for node, start, took in nodes})
        bars = []
        for node, start, took in nodes:
            phase = str(CacheStatus.REUSED if node.cache_status is CacheStatus.REUSED else node.phase)
            bars.append(Bar(node.path, names[node.path], phase, start, took, node.path in critical))
        return cls(tuple(sorted(bars, key=lambda b: (b.start, b.path))), run.duration or 0.0)

    def __repr__(self) -> str:
        if not self.bars:
            return "no node has started"
        scale = _WIDTH / self.scale
        lines = []
        for bar in self.bars:
            label = f"{bar.path} {bar.name}"[:_NAME]
            at = min(int(bar.start * scale), _WIDTH - 1)
            is_reused = bar.phase == CacheStatus.REUSED
            length = 1 if is_reused else max(1, min(round(bar.duration * scale), _WIDTH - at))
            drawn = " " * at + ("↻" if is_reused else "█") * length
            took = f"{duration_text(bar.duration):>{_TOOK}}"
            phase = f"{phase_sign(bar.phase)} {constant_text(bar.phase)}"
            lines.append(f"{label:<{_NAME}} │{drawn:<{_WIDTH}}│ {took}  {phase}{' •' if bar.is_critical else ''}")
        lines.append(f"{'':<{_NAME}}  {'total':>{_WIDTH}}  {duration_text(self.total):>{_TOOK}}")
        critical = sum(bar.duration for bar in self.bars if bar.is_critical)
        return "\n".join([*lines, f"{'':<{_NAME}}  {'• critical path':>{_WIDTH}}  {duration_text(critical):>{_TOOK}}"])
