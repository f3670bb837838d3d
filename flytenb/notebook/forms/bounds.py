"""Bounds of numbers, from the annotations of their types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin


@dataclass(frozen=True)
class Bounds:
    """Bounds of a number: `low <= x <= high`, exclusive where the end is open."""

    low: Any = None
    high: Any = None
    is_low_open: bool = False
    is_high_open: bool = False

    @property
    def text(self) -> str:
        """The bounds as text, `""` if there are none: `1 … 10`, `> 0`."""
        if self.low is None and self.high is None:
            return ""
        if None not in (self.low, self.high) and not (self.is_low_open or self.is_high_open):
            return f"{self.low!r} … {self.high!r}"
        ends = (self.low, "> " if self.is_low_open else "≥ "), (self.high, "< " if self.is_high_open else "≤ ")
        return ", ".join(f"{sign}{bound!r}" for bound, sign in ends if bound is not None)

    def problem(self, value: Any) -> str:
        """Return what is wrong with a number, `""` if it is within the bounds."""
        if self.low is not None and not (value > self.low or (value == self.low and not self.is_low_open)):
            return f"must be {'more than' if self.is_low_open else 'at least'} {self.low!r}, got {value!r}"
        if self.high is not None and not (value < self.high or (value == self.high and not self.is_high_open)):
            return f"must be {'less than' if self.is_high_open else 'at most'} {self.high!r}, got {value!r}"
        return ""


def read_bounds(declared: Any) -> Bounds:
    """Return the bounds in a type's annotations: `annotated_types`, pydantic, or a `range`."""
    found: dict[str, Any] = {}
    for note in _annotations(declared):
        if isinstance(note, range) and note.step == 1 and len(note):
            found |= {"ge": note[0], "le": note[-1]}
        for key in ("ge", "gt", "le", "lt"):
            bound = getattr(note, key, None)
            if isinstance(bound, int | float):
                found[key] = bound
    low, high = found.get("ge", found.get("gt")), found.get("le", found.get("lt"))
    return Bounds(low, high, "ge" not in found and "gt" in found, "le" not in found and "lt" in found)


def _annotations(declared: Any) -> list[Any]:
    notes: list[Any] = []
    while get_origin(declared) is Annotated:
        declared, *more = get_args(declared)
        for note in more:
            # pydantic's Field keeps its constraints in a list.
            notes += [note, *getattr(note, "metadata", ())]
    return notes
