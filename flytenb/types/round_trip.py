"""Round trips: a value to a literal and back, step by step, as between two tasks of a cluster."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flytenb.bridge.crossing.literal import to_literal, to_native
from flytenb.bridge.type_engine import Literal, LiteralType
from flytenb.bridge.type_engine.literal_forms import describe_literal, from_bytes, to_bytes
from flytenb.bridge.type_engine.scratch_storage import bytes_in
from flytenb.bridge.type_engine.transformers import captured_log, literal_type_of
from flytenb.types.value_changes import Change, describe_value, first_change
from flytenb.wording.quantities import bytes_text
from flytenb.wording.text import class_name, clip_line, uncolored
from flytenb.wording.types import type_text
from flytenb.wording.values import LONG


@dataclass(frozen=True)
class Stage:
    """One form of a value on its round trip.

    Attributes:
        name: `Python`, `literal`, `bytes` or `Python again`.
        value: the value in this form, in one line.
        type: its type, for a Python value.
    """

    name: str
    value: str
    type: str = ""


@dataclass(frozen=True)
class RoundTrip:
    """The round trip of one value.

    Attributes:
        stages: the forms that it reached, in order.
        size: the bytes of its literal.
        stored: the bytes of the files that were written for it.
        error: why the last stage wasn't followed by another one, `""` if the round trip is complete.
        change: the first change of the value, None if there is none.
        notes: warnings.
    """

    stages: tuple[Stage, ...]
    size: int = 0
    stored: int = 0
    error: str = ""
    change: Change | None = None
    notes: tuple[str, ...] = ()


def round_trip(value: Any, python_type: Any, stored: Path, literal_type: LiteralType | None = None) -> RoundTrip:
    """Convert a value to a literal and back, within `scratch_storage`.

    Args:
        value: the value; a copy of it is converted.
        python_type: the declared type.
        stored: the directory of `scratch_storage`.
        literal_type: the literal type, if it is known: flytekit needs a while for a large type.
    """
    stages = [Stage("Python", describe_value(value, LONG), type_text(type(value)))]
    sent = _copied(value)
    size, there_before = 0, bytes_in(stored)
    with captured_log():
        try:
            literal = to_literal(sent, python_type, literal_type or literal_type_of(python_type))
            stages.append(Stage("literal", describe_literal(literal)))
            data = to_bytes(literal)
            size = len(data)
            stages.append(Stage("bytes", _sizes(size, bytes_in(stored) - there_before)))
            after = to_native(from_bytes(data), python_type)
        except Exception as error:
            return RoundTrip(tuple(stages), size, bytes_in(stored) - there_before, explain(error))
        stages.append(Stage("Python again", describe_value(after, LONG), type_text(type(after))))
        try:
            mutation, change = first_change(value, sent), first_change(value, after)
        except Exception as error:
            reason = f"comparing raised {explain(error)}"
            mutation, change = None, Change("", describe_value(value), describe_value(after), reason)
    notes = () if mutation is None else (f"the conversion changes the object itself: {mutation}",)
    return RoundTrip(tuple(stages), size, bytes_in(stored) - there_before, "", change, notes)


def pack(value: Any, python_type: Any) -> Literal:
    """Return the literal of a copy of a value; raise what flytekit raises for a wrong value."""
    return to_literal(_copied(value), python_type, literal_type_of(python_type))


def send(value: Any, python_type: Any) -> Any:
    """Return the value that the next task receives; raise what the conversions raise."""
    return to_native(from_bytes(to_bytes(pack(value, python_type))), python_type)


def explain(error: BaseException) -> str:
    """Return an error as one line: its message, then its class."""
    text = uncolored(str(error)).strip().partition("\n")[0] or "no message"
    # flytekit writes a whole literal into its message, on a line per brace.
    text += "…}" if text.endswith("{") else ""
    return f"{clip_line(text, LONG)} ({class_name(error)})"


def _copied(value: Any) -> Any:
    """Return a copy, since a conversion may change its object; the object itself if it can't be copied."""
    try:
        return copy.deepcopy(value)
    except Exception:
        return value


def _sizes(size: int, stored: int) -> str:
    beside = f", and {bytes_text(stored)} in files beside it" if stored else ""
    return bytes_text(size) + beside
