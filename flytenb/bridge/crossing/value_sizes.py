"""Sizes of values in memory: estimates at a bounded cost, with what several values share under the same key."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, is_dataclass
from itertools import islice
from typing import Any

from flytekit.models.literals import Literal

from flytenb.bridge.crossing.crossing_value import CopiedValue, CrossingValue, LiteralValue, SharedValue
from flytenb.wording.packages import loaded

_SHARED = 1_000
"""Bytes from which an object is counted once, however many values hold it."""
_SAMPLES = (64, 16, 4)
"""Most elements of a container that are looked at, by depth; one below that. The others count as much as these."""
_COLUMNS = 100
_PLAIN = frozenset((int, float, bool, complex, type(None)))
_SCALAR = 32


@dataclass
class Size:
    """The memory that some values take.

    Attributes:
        own: the bytes of small objects and of what was estimated from samples.
        shared: the bytes of each large object by its key, which is the same wherever it is held.
    """

    own: float = 0
    shared: dict[int, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All bytes."""
        return int(self.own) + sum(self.shared.values())

    def add(self, key: int, size: int) -> None:
        """Add an object."""
        if size >= _SHARED:
            self.shared[key] = size
        else:
            self.own += size


def size_of(values: Iterable[CrossingValue]) -> Size:
    """Return the memory that values take together."""
    size = Size()
    scalars = 0
    for value in values:
        if type(value) is SharedValue and type(value.held) in _PLAIN:  # most values of large runs
            scalars += 1
            continue
        for held in _held_by(value):
            _add(size, held, 0)
    size.own += _SCALAR * scalars
    return size


def _held_by(value: CrossingValue) -> Sequence[Any]:
    if isinstance(value, SharedValue | CopiedValue):
        return (value.held,) if value._literal is None else (value.held, value._literal)
    if isinstance(value, LiteralValue):
        return (value._literal, *value._proven)
    return ()


def _add(size: Size, value: Any, depth: int) -> None:
    kind = type(value)
    if kind in _PLAIN:
        size.own += _SCALAR
    elif kind in (str, bytes, bytearray):
        size.add(id(value), sys.getsizeof(value))
    elif isinstance(value, dict):
        size.own += sys.getsizeof(value)
        _add_samples(size, [*value.items()] if len(value) < _SAMPLES[0] else value.items(), len(value), depth)
    elif isinstance(value, list | tuple | set | frozenset):
        size.own += sys.getsizeof(value)
        _add_samples(size, value, len(value), depth)
    elif isinstance(value, Literal):
        _add_literal(size, value, depth)
    elif not _add_array(size, value, depth) and (is_dataclass(value) or hasattr(kind, "__pydantic_fields__")):
        fields = getattr(value, "__dict__", {})
        size.own += 64
        _add_samples(size, [*fields.values()], len(fields), depth)


def _add_samples(size: Size, values: Iterable[Any], count: int, depth: int) -> None:
    """Add elements of a container: all of a few, else as much for the others as for some from all over it."""
    limit = _SAMPLES[depth] if depth < len(_SAMPLES) else 1
    step = -(-count // limit) if isinstance(values, list | tuple) else 1
    samples = values[::step] if isinstance(values, list | tuple) and count else [*islice(values, limit)]
    part = Size()
    for sample in samples:
        _add(part, sample, depth + 1)
    size.own += part.own
    if samples and count > len(samples):
        is_one_each = 2 * len(part.shared) >= len(samples)  # else many elements are the same few objects
        size.own += (part.total if is_one_each else part.own) * (count / len(samples) - 1)
    size.shared.update(part.shared)


def _add_literal(size: Size, literal: Literal, depth: int) -> None:
    size.own += 200  # the objects of a literal without content
    if literal.collection is not None:
        _add_samples(size, literal.collection.literals, len(literal.collection.literals), depth)
    elif literal.map is not None:
        _add_samples(size, literal.map.literals.items(), len(literal.map.literals), depth)
    elif literal.scalar is not None and literal.scalar.union is not None:
        _add_literal(size, literal.scalar.union.value, depth)
    elif literal.scalar is not None:
        held = literal.scalar.binary or literal.scalar.primitive
        _add(size, getattr(held, "value", None), depth)


def _add_array(size: Size, value: Any, depth: int) -> bool:
    """Add an array or a frame; return False for anything else."""
    try:
        numpy, pandas = loaded("numpy"), loaded("pandas")
        if numpy is not None and isinstance(value, numpy.ndarray):
            owner = value
            while isinstance(owner.base, numpy.ndarray):
                owner = owner.base
            size.add(owner.__array_interface__["data"][0], owner.nbytes)
            return True
        if pandas is not None and isinstance(value, pandas.DataFrame | pandas.Series):
            _add_frame(size, value, numpy, depth)
            return True
        count = value.estimated_size() if hasattr(value, "estimated_size") else getattr(value, "nbytes", None)
    except Exception:  # an object of a library that isn't known here
        return False
    if type(count) is not int:
        return False
    size.add(id(value), count)
    return True


def _add_frame(size: Size, frame: Any, numpy: Any, depth: int) -> None:
    blocks = frame._mgr.blocks  # columns of one type share an array; a series per column takes longer than a small task
    if len(blocks) > _COLUMNS:
        size.add(id(frame), int(frame.memory_usage().sum()))
        return
    for values in (block.values for block in blocks):
        if isinstance(values, numpy.ndarray) and values.dtype.kind != "O":
            _add_array(size, values, depth)
            continue
        size.own += values.nbytes
        if isinstance(values, numpy.ndarray):
            _add_samples(size, [*values.flat[:: max(1, values.size // _SAMPLES[1])]], values.size, depth + 1)
    if type(frame.index).__name__ != "RangeIndex":
        size.own += frame.index.memory_usage()
