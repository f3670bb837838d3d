"""A value's way into a literal and back, step by step, as between two tasks of a cluster; showing it is left out."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flytekit.core.type_engine import TypeEngine
from flytekit.models.literals import Literal
from flytekit.models.types import LiteralType

from flytenb.bridge.crossing.literal import to_literal, to_native
from flytenb.types.differences import Difference, first_difference, tell
from flytenb.types.literals import describe_literal, from_bytes, to_bytes
from flytenb.types.quiet import quiet
from flytenb.types.scratch_folder import bytes_in
from flytenb.wording.quantities import bytes_text
from flytenb.wording.text import class_name, clip_line
from flytenb.wording.types import type_text
from flytenb.wording.values import LONG

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Stop:
    """Where a value is on its way.

    Attributes:
        place: `Python`, `literal`, `bytes` or `Python again`.
        value: what it is there, in short.
        type: its type there.
    """

    place: str
    value: str
    type: str = ""


@dataclass(frozen=True)
class Trip:
    """The way of one value.

    Attributes:
        stops: where it got to, in order; the last is where it ended.
        size: bytes of its literal.
        stored: bytes of the files that were written beside the literal.
        error: why it got no further, `""` if it came back.
        difference: the first thing that is not as it was, None if all is.
        notes: what else happened.
    """

    stops: tuple[Stop, ...]
    size: int = 0
    stored: int = 0
    error: str = ""
    difference: Difference | None = None
    notes: tuple[str, ...] = ()

    @property
    def is_equal(self) -> bool:
        """Whether the value came back as it was."""
        return not self.error and self.difference is None


def take_trip(value: Any, python_type: Any, stored: Path, literal_type: LiteralType | None = None) -> Trip:
    """Send a value on its way, within a laboratory whose files are in `stored`.

    The literal type may be given where it is known already: a large type takes flytekit a while.
    """
    stops = [Stop("Python", tell(value, LONG), type_text(type(value)))]
    sent = _copied(value)
    size, there_before = 0, bytes_in(stored)
    with quiet():
        try:
            literal = to_literal(sent, python_type, literal_type or TypeEngine.to_literal_type(python_type))
            stops.append(Stop("literal", describe_literal(literal)))
            data = to_bytes(literal)
            size = len(data)
            stops.append(Stop("bytes", _sizes(size, bytes_in(stored) - there_before)))
            after = to_native(from_bytes(data), python_type)
        except Exception as error:
            return Trip(tuple(stops), size, bytes_in(stored) - there_before, explain(error))
        stops.append(Stop("Python again", tell(after, LONG), type_text(type(after))))
        try:
            changed = first_difference(value, sent)
            difference = first_difference(value, after)
        except Exception as error:
            changed, difference = None, Difference("", tell(value), tell(after), f"comparing raised {explain(error)}")
    notes = () if changed is None else (f"converting changes the object itself: {changed}",)
    return Trip(tuple(stops), size, bytes_in(stored) - there_before, "", difference, notes)


def pack(value: Any, python_type: Any) -> Literal:
    """Return a value's literal, the value itself left alone; raise what flytekit raises for a wrong one."""
    return to_literal(_copied(value), python_type, TypeEngine.to_literal_type(python_type))


def send(value: Any, python_type: Any) -> Any:
    """Return what the next task would be given for a value; raise whatever stops it on the way."""
    return to_native(from_bytes(to_bytes(pack(value, python_type))), python_type)


def explain(error: BaseException) -> str:
    """Return an error as one line, its own words first."""
    text = _COLOURS.sub("", str(error)).strip().partition("\n")[0] or "no reason given"
    # flytekit spells out a whole literal, a line for each brace.
    text += "…}" if text.endswith("{") else ""
    return f"{clip_line(text, LONG)} ({class_name(error)})"


def _copied(value: Any) -> Any:
    """A copy to send, since a conversion may change its object; the object itself where it can't be copied."""
    try:
        return copy.deepcopy(value)
    except Exception:
        return value


def _sizes(size: int, stored: int) -> str:
    beside = f", and {bytes_text(stored)} in files beside it" if stored else ""
    return bytes_text(size) + beside
