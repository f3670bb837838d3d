"""A run along the clock, and two runs side by side: plain rows that show themselves as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flytenb.runner.run import Run

_WIDTH = 48
_NAME = 32


@dataclass(frozen=True)
class Bar:
    """One node on the clock.

    Attributes:
        path: the node.
        name: its entity's name.
        phase: how it ended, or where it stands.
        start: seconds after the run began.
        duration: seconds that it took.
    """

    path: str
    name: str
    phase: str
    start: float
    duration: float


@dataclass(frozen=True)
class Timeline:
    """When each node of a run was at work, in the order in which they began; `total` is in seconds."""

    bars: tuple[Bar, ...]
    total: float

    @classmethod
    def read(cls, run: Run) -> Timeline:
        """Read the nodes that have started so far."""
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
            lines.append(f"{label:<{_NAME}} │{drawn:<{_WIDTH}}│ {bar.duration:8.3f} s  {bar.phase}")
        return "\n".join([*lines, f"{'':<{_NAME}}  {'in all':>{_WIDTH}}  {self.total:8.3f} s"])


@dataclass(frozen=True)
class Difference:
    """What one node, or the run itself (path `""`), has differently: `what` is `phase`, an output's name or `node`."""

    path: str
    what: str
    this: Any
    other: Any


@dataclass(frozen=True)
class Comparison:
    """Two runs side by side: what differs, and how long each took in seconds."""

    differences: tuple[Difference, ...]
    durations: tuple[float, float]

    @classmethod
    def read(cls, this: Run, other: Run) -> Comparison:
        """Compare phases and outputs node by node; values that can't be compared count as different."""
        found = list(_differences("", this, other))
        mine, theirs = dict(this.nodes.items()), dict(other.nodes.items())
        for path in dict.fromkeys([*mine, *theirs]):
            if path not in mine or path not in theirs:
                found.append(Difference(path, "node", path in mine, path in theirs))
            else:
                found += _differences(path, mine[path], theirs[path])
        return cls(tuple(found), (this.duration or 0.0, other.duration or 0.0))

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.differences)

    def __repr__(self) -> str:
        took = f"{self.durations[0]:.3f} s against {self.durations[1]:.3f} s"
        if not self.differences:
            return f"nothing differs; {took}"
        lines = [
            f"{d.path or '(run)':<12} {d.what:<12} {d.this!r:.60}  against  {d.other!r:.60}" for d in self.differences
        ]
        return "\n".join([*lines, took])


def _differences(path: str, this: Any, other: Any) -> list[Difference]:
    found = []
    if this.phase is not other.phase:
        found.append(Difference(path, "phase", str(this.phase), str(other.phase)))
    mine, theirs = this.outputs, other.outputs
    found += [
        Difference(path, name, mine[name], theirs[name])
        for name in mine
        if name in theirs and not _is_equal(mine[name], theirs[name])
    ]
    return found


def _is_equal(a: Any, b: Any) -> bool:
    if hasattr(a, "equals"):  # frames and Arrow tables, whose == answers by element
        return type(a) is type(b) and bool(a.equals(b))
    try:
        equal = a == b
        return bool(equal.all()) if hasattr(equal, "all") else bool(equal)
    except Exception:
        return False
