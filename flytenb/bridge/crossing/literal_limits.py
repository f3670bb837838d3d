"""Limits of values in literals: protobuf and MessagePack have limits that Python doesn't have.

flytekit's local run keeps literals as Python objects and accepts these values; a pod writes its outputs as protobuf and
rejects them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, timedelta
from itertools import chain
from typing import Any, NamedTuple

from flytekit.models.literals import Literal

from flytenb.errors import UnholdableError
from flytenb.wording.values import brief

_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1
_PACKED_INT_MAX = 2**64 - 1
"""MessagePack, the format of dataclasses, has unsigned 64-bit integers too."""

_SURROGATE = re.compile("[\ud800-\udfff]")


class Limit(NamedTuple):
    """The values of one exact type that a round trip leaves unchanged, as a test of one value and of many."""

    admits: Callable[[Any], bool]
    admits_all: Callable[[Sequence[Any]], bool]

    @classmethod
    def of_each(cls, admits: Callable[[Any], bool]) -> Limit:
        """Return a limit that tests many values one by one."""
        return cls(admits, lambda values: all(map(admits, values)))


def _is_text(value: str) -> bool:
    return value.isascii() or _SURROGATE.search(value) is None


def _is_exact_in_seconds(value: timedelta) -> bool:
    try:
        return timedelta(seconds=value.total_seconds()) == value
    except OverflowError:
        return False


INT = Limit(
    lambda value: _INT_MIN <= value <= _INT_MAX,
    lambda values: not values or (min(values) >= _INT_MIN and max(values) <= _INT_MAX),
)
PACKED_INT = Limit(
    lambda value: _INT_MIN <= value <= _PACKED_INT_MAX,
    lambda values: not values or (min(values) >= _INT_MIN and max(values) <= _PACKED_INT_MAX),
)
TEXT = Limit.of_each(_is_text)
"""UTF-8, which has no lone surrogates."""
PACKED_DURATION = Limit.of_each(_is_exact_in_seconds)
"""Seconds as a float."""
PACKED_TIME = Limit.of_each(lambda v: (v.tzinfo is None or v.tzinfo is UTC) and not v.fold)
"""ISO text: other time zones come back as an offset, and a fold is lost."""


def check_holdable(literal: Literal) -> None:
    """Reject a literal with a number or text that protobuf can't store.

    Raises:
        UnholdableError: with the value and a hint.
    """
    for primitive in _primitives(literal):
        value = primitive.value
        if type(value) is int and not INT.admits(value):
            raise _too_wide(value)
        if type(value) is str and not TEXT.admits(value):
            raise UnholdableError(
                f"expected text without lone surrogates, got {brief(value)}, which can't be stored",
                hint="replace them: text.encode('utf-8', 'replace').decode()",
            )


def check_packed(value: Any) -> None:
    """Reject a dataclass or dict with a number that MessagePack can't store.

    Raises:
        UnholdableError: with the number and a hint.
    """
    todo, seen = [value], set()
    while todo:
        at = todo.pop()
        if type(at) is int and not PACKED_INT.admits(at):
            raise _too_wide(at)
        if id(at) in seen:
            continue
        seen.add(id(at))
        if isinstance(at, dict):
            todo.extend(chain(at, at.values()))
        elif isinstance(at, list | tuple | set):
            todo.extend(at)
        elif is_dataclass(at) and not isinstance(at, type):
            todo.extend(getattr(at, f.name, None) for f in fields(at))


def _too_wide(value: int) -> UnholdableError:
    return UnholdableError(
        f"expected an integer of at most 64 bits, got {brief(value)}, which can't be stored",
        hint="return it as a str, or as a float if it may be rounded",
    )


def _primitives(literal: Literal) -> Iterator[Any]:
    todo = [literal]
    while todo:
        at = todo.pop()
        if at.collection is not None:
            todo.extend(at.collection.literals)
        elif at.map is not None:
            todo.extend(at.map.literals.values())
        elif at.scalar is not None:
            if at.scalar.union is not None:
                todo.append(at.scalar.union.value)
            elif at.scalar.primitive is not None:
                yield at.scalar.primitive
