"""Timeline of a run: when each node ran."""

from __future__ import annotations

from dataclasses import dataclass

from flytenb.model import CacheStatus
from flytenb.runner.critical_path import critical_path
from flytenb.runner.node_run import RunOutcome
from flytenb.wording.kinds import phase_text
from flytenb.wording.quantities import count_text, duration_text
from flytenb.wording.text import clip

_WIDTH = 48
_NAME = 40
_TOOK = 15
_WORST = ("FAILED", "TIMED_OUT", "RUNNING", "ABORTED", "QUEUED")


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
        more: that its outputs are from the cache, `hit`, and how many attempts it took, `2 attempts`.
    """

    path: str
    name: str
    phase: str
    start: float
    duration: float
    is_critical: bool = False
    more: str = ""

    @property
    def is_element(self) -> bool:
        """Whether it is an element of a map."""
        number = self.path.rpartition("/")[2]
        return number.isdigit() and self.name.endswith(f"[{number}]")


@dataclass(frozen=True)
class Lane:
    """A line of a timeline: a node, or all elements of a map (path `n0/*`)."""

    path: str
    bars: tuple[Bar, ...]

    @property
    def name(self) -> str:
        """The name of the entity, of several elements `fit × 30, slowest fit[7]`."""
        if len(self.bars) == 1:
            return self.bars[0].name
        slowest = max(self.bars, key=lambda bar: bar.duration)
        return f"{slowest.name.rpartition('[')[0]} × {len(self.bars)}, slowest {slowest.name}"

    @property
    def start(self) -> float:
        """Seconds from the start of the run to the first start."""
        return min(bar.start for bar in self.bars)

    @property
    def duration(self) -> float:
        """Seconds from the first start to the last end."""
        return max(bar.start + bar.duration for bar in self.bars) - self.start

    @property
    def took(self) -> str:
        """The duration of the node, of several elements the shortest and the longest: `2 ms – 1.3 s`."""
        texts = [duration_text(pick(bar.duration for bar in self.bars)) for pick in (min, max)]
        return " – ".join(dict.fromkeys(texts))

    @property
    def phase(self) -> str:
        """The phase, of several elements the one that matters most."""
        found = {bar.phase for bar in self.bars}
        return next((phase for phase in _WORST if phase in found), self.bars[0].phase)

    @property
    def more(self) -> str:
        """Where its outputs are from and how many attempts it took, of several elements what is true of all."""
        found = {bar.more for bar in self.bars}
        return found.pop() if len(found) == 1 else ""

    @property
    def is_critical(self) -> bool:
        """Whether one of the bars is on the critical path."""
        return any(bar.is_critical for bar in self.bars)


@dataclass(frozen=True)
class Timeline:
    """The nodes of a run by start; `total` is its duration in seconds."""

    bars: tuple[Bar, ...]
    total: float

    @property
    def scale(self) -> float:
        """Seconds from the start of the run to the end of its last node, or of the run."""
        return max(self.total, max((bar.start + bar.duration for bar in self.bars), default=0.0), 1e-9)

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """The bars, those of all elements of a map as one lane at the start of the first of them."""
        groups: dict[str, list[Bar]] = {}
        for bar in self.bars:
            groups.setdefault(f"{bar.path.rpartition('/')[0]}/*" if bar.is_element else bar.path, []).append(bar)
        return tuple(Lane(path, tuple(bars)) for path, bars in groups.items())

    @classmethod
    def read(cls, run: RunOutcome) -> Timeline:
        """Return the timeline of the nodes that have started so far, without those whose times are unknown."""
        began = run.started or 0.0
        graph, names = run.graph, run.nodes.names()
        timed = [(node, node.started, node.duration) for node in run.nodes.values()]
        nodes = [(node, at - began, took) for node, at, took in timed if at and took is not None]
        critical = critical_path(graph, {node.path: (start, start + took) for node, start, took in nodes})
        bars = []
        for node, start, took in nodes:
            phase = str(CacheStatus.REUSED if node.cache_status is CacheStatus.REUSED else node.phase)
            more = ["hit"] if node.cache_status is CacheStatus.HIT else []
            more += [count_text(node.attempts, "attempt")] if node.attempts > 1 else []
            is_critical = node.path in critical
            bars.append(Bar(node.path, names[node.path], phase, start, took, is_critical, " · ".join(more)))
        return cls(tuple(sorted(bars, key=lambda b: (b.start, b.path))), run.duration or 0.0)

    def __repr__(self) -> str:
        if not self.bars:
            return "no node has started"
        scale = _WIDTH / self.scale
        lines = []
        for bar in self.lanes:
            label = clip(f"{bar.path} {bar.name}", _NAME)
            at = min(int(bar.start * scale), _WIDTH - 1)
            is_reused = bar.phase == CacheStatus.REUSED
            length = 1 if is_reused else max(1, min(round(bar.duration * scale), _WIDTH - at))
            drawn = " " * at + ("↻" if is_reused else "█") * length
            took = f"{bar.took:>{_TOOK}}"
            phase = f"{phase_text(bar.phase)}{bar.more and f' · {bar.more}'}"
            lines.append(f"{label:<{_NAME}} │{drawn:<{_WIDTH}}│ {took}  {phase}{' •' if bar.is_critical else ''}")
        lines.append(f"{'':<{_NAME}}  {'total':>{_WIDTH}}  {duration_text(self.total):>{_TOOK}}")
        critical = sum(bar.duration for bar in self.bars if bar.is_critical)
        return "\n".join([*lines, f"{'':<{_NAME}}  {'• critical path':>{_WIDTH}}  {duration_text(critical):>{_TOOK}}"])
