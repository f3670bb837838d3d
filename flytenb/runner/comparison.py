"""Two runs side by side: what differs; plain rows that show themselves as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flytenb.bridge.crossing.content import IncomparableError, is_same
from flytenb.errors import headline, say
from flytenb.render.text_metrics import clean
from flytenb.wording.quantities import duration_text
from flytenb.wording.text import clip_line
from flytenb.wording.values import LONG, SHORT, brief

if TYPE_CHECKING:
    from flytenb.runner.run import Run


@dataclass(frozen=True)
class Difference:
    """What one node, or the run itself (path `""`), has differently.

    Attributes:
        path: the node.
        what: `phase`, an output's name, or `node` where only one of the runs has it.
        this: the phase or value of the one, for `node` whether it is there.
        other: the same of the other.
        problem: why the values can't be compared, `""` where they are known to differ.
    """

    path: str
    what: str
    this: Any
    other: Any
    problem: str = ""


@dataclass(frozen=True)
class Comparison:
    """Two runs side by side: what differs, and how long each took in seconds."""

    differences: tuple[Difference, ...]
    durations: tuple[float, float]

    @classmethod
    def read(cls, this: Run, other: Run) -> Comparison:
        """Compare phases and outputs node by node: values by content, what can't be compared as different."""
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
        took = f"took {' and '.join(map(duration_text, self.durations))}"
        if not self.differences:
            return f"nothing differs; {took}"
        rows = [("node", "differs", "this run", "the other"), *map(_row, self.differences)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows)
        return "\n".join([*(line.rstrip() for line in lines), took])


def _row(difference: Difference) -> tuple[str, str, str, str]:
    this, other = difference.this, difference.other
    if difference.what == "node":
        told = ["there" if is_there else "not there" for is_there in (this, other)]
    elif difference.what == "phase":
        told = [this, other]
    else:
        told = [brief(value, SHORT) for value in (this, other)]
    problem = f" can't be compared: {clip_line(difference.problem, LONG)}" if difference.problem else ""
    return difference.path or "(run)", clean(difference.what + problem), clean(told[0]), clean(told[1])


def _differences(path: str, this: Any, other: Any) -> list[Difference]:
    found = []
    if this.phase is not other.phase:
        found.append(Difference(path, "phase", str(this.phase), str(other.phase)))
    try:
        mine, theirs = this.outputs, other.outputs
    except Exception as e:
        return [*found, Difference(path, "outputs", None, None, headline(e))]
    found += [d for name in mine if name in theirs for d in _difference(path, name, mine[name], theirs[name])]
    return found


def _difference(path: str, name: str, this: Any, other: Any) -> list[Difference]:
    try:
        return [] if is_same(this, other) else [Difference(path, name, this, other)]
    except IncomparableError as e:
        return [Difference(path, name, this, other, say(e))]
