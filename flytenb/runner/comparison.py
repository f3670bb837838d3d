"""Comparison of two runs: their differences and durations."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from flytenb.bridge.crossing.value_equality import IncomparableError, is_same
from flytenb.errors import headline, say
from flytenb.render.text_metrics import clean
from flytenb.runner.absent import Absent
from flytenb.runner.node_run import RunOutcome
from flytenb.wording.kinds import phase_text
from flytenb.wording.quantities import duration_text
from flytenb.wording.text import clip_line
from flytenb.wording.values import LONG, SHORT, brief


@dataclass(frozen=True)
class Difference:
    """One difference between two runs, at a node or at the run itself (path `""`).

    Attributes:
        path: the node.
        what: `phase`, the name of an output, or `node` if only one of the runs has it.
        this: the phase or value in this run, for `node` whether it exists.
        other: the same for the other run.
        problem: why the values can't be compared, `""` if they can.
        name: the name of the node's entity.
        started: whether the node has started, in this run and in the other one.
    """

    path: str
    what: str
    this: Any
    other: Any
    problem: str = ""
    name: str = field(default="", compare=False)
    started: tuple[bool, bool] = field(default=(True, True), compare=False)

    def texts(self) -> tuple[str, str, str, str]:
        """Return its row of a table: the node, what differs, and both values in short."""
        if self.what == "node":
            texts = ["yes" if exists else "no" for exists in (self.this, self.other)]
        elif self.what == "phase":
            phases = zip((self.this, self.other), self.started, strict=True)
            texts = [phase_text(phase, has_started=has_started) for phase, has_started in phases]
        else:
            texts = [brief(value, SHORT) for value in (self.this, self.other)]
        problem = f" can't be compared: {clip_line(self.problem, LONG)}" if self.problem else ""
        place = f"{self.path} ({self.name})" if self.name else self.path or "(run)"
        return clean(place), clean(self.what + problem), clean(texts[0]), clean(texts[1])


@dataclass(frozen=True)
class Comparison:
    """The differences between two runs, and their durations in seconds."""

    differences: tuple[Difference, ...]
    durations: tuple[float, float]

    @classmethod
    def read(cls, this: RunOutcome, other: RunOutcome) -> Comparison:
        """Compare phases and outputs by node; values are compared by content, and differ if they can't be compared."""
        found = list(_differences("", this, other))
        mine, theirs = dict(this.nodes.items()), dict(other.nodes.items())
        for path in dict.fromkeys([*mine, *theirs]):
            if path not in mine or path not in theirs:
                found.append(Difference(path, "node", path in mine, path in theirs))
            else:
                found += _differences(path, mine[path], theirs[path])
        names = {**other.nodes.names(), **this.nodes.names()}
        found = [replace(difference, name=names.get(difference.path, "")) for difference in found]
        return cls(tuple(found), (this.duration or 0.0, other.duration or 0.0))

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.differences)

    def __repr__(self) -> str:
        took = f"took {' and '.join(map(duration_text, self.durations))}"
        if not self.differences:
            return f"nothing differs; {took}"
        rows = [("node", "differs", "this run", "other run"), *(difference.texts() for difference in self.differences)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows)
        return "\n".join([*(line.rstrip() for line in lines), took])


def _differences(path: str, this: Any, other: Any) -> list[Difference]:
    found = []
    if this.phase is not other.phase:
        started = (this.started is not None, other.started is not None)
        found.append(Difference(path, "phase", str(this.phase), str(other.phase), started=started))
    try:
        mine, theirs = this.outputs, other.outputs
    except Exception as e:
        return [*found, Difference(path, "outputs", None, None, headline(e))]
    found += [d for name in mine if name in theirs for d in _difference(path, name, mine[name], theirs[name])]
    return found


def _difference(path: str, name: str, this: Any, other: Any) -> list[Difference]:
    for each in (this, other):
        if isinstance(each, Absent):
            return [Difference(path, name, this, other, each.error.message)]
    try:
        return [] if is_same(this, other) else [Difference(path, name, this, other)]
    except IncomparableError as e:
        return [Difference(path, name, this, other, say(e))]
