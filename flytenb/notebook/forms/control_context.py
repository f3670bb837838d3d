"""What a control is told about where it stands, and how it gets controls for what is inside its value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from flytenb.display.registry import Registry
from flytenb.notebook.forms.control import Control


@dataclass(frozen=True)
class Bounds:
    """Where a number lies: `low <= x <= high`, without the ends where they are open."""

    low: Any = None
    high: Any = None
    is_low_open: bool = False
    is_high_open: bool = False

    @property
    def text(self) -> str:
        """What a reader may give, `""` if that is any number: `1 … 10`, `> 0`."""
        if self.low is None and self.high is None:
            return ""
        if None not in (self.low, self.high) and not (self.is_low_open or self.is_high_open):
            return f"{self.low!r} … {self.high!r}"
        ends = (self.low, "> " if self.is_low_open else "≥ "), (self.high, "< " if self.is_high_open else "≤ ")
        return ", ".join(f"{sign}{bound!r}" for bound, sign in ends if bound is not None)

    def problem(self, value: Any) -> str:
        """Return what is wrong with a number, `""` if it is inside."""
        if self.low is not None and (value < self.low or (self.is_low_open and value == self.low)):
            return f"{value!r} must be {'more than' if self.is_low_open else 'at least'} {self.low!r}"
        if self.high is not None and (value > self.high or (self.is_high_open and value == self.high)):
            return f"{value!r} must be {'less than' if self.is_high_open else 'at most'} {self.high!r}"
        return ""


@dataclass(frozen=True)
class ControlContext:
    """Where a control stands.

    Attributes:
        name: what the value is called.
        registry: where controls for inner values are looked up.
        names: gives the notebook's variables.
        folder: gives a directory for files that are uploaded.
        depth: how many controls are around this one.
    """

    name: str
    registry: Registry
    names: Callable[[], Mapping[str, Any]]
    folder: Callable[[], Path]
    depth: int = 0

    def make(self, declared: Any, name: str = "") -> Control:
        """Return the control for a value of a type inside this one."""
        inside = replace(self, name=name or self.name, depth=self.depth + 1)
        return make_control(declared, inside)


def make_control(declared: Any, context: ControlContext) -> Control:
    """Return the best control for a declared type; there is one for every type."""
    for maker in context.registry.candidates(declared):
        made: Any = maker(declared, context)
        if made is not NotImplemented:
            return made  # type: ignore[no-any-return]
    raise AssertionError(f"no control for {declared!r}")  # the JSON text takes all


def read_bounds(declared: Any) -> Bounds:
    """Read where a number lies from its annotations: those of `annotated_types` and pydantic, and plain ranges."""
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
            # pydantic's Field keeps what it was given in a list of its own.
            notes += [note, *getattr(note, "metadata", ())]
    return notes
