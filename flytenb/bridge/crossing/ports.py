"""Pack what a node returned, take what a node receives: prepared once per output or edge, called once per value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from flytekit.core.promise import Promise
from flytekit.core.type_engine import TypeEngine
from flytekit.models.literals import Literal
from flytekit.models.types import LiteralType

from flytenb.bridge.crossing.literal import AttrPath, resolve_attribute, to_literal, to_native
from flytenb.bridge.crossing.value import LiteralValue, Value


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a list or dict binding that a promise fills: the type its producer declared and the path into it."""

    producer_type: Any
    attr_path: tuple[str | int, ...] = ()


Shape: TypeAlias = Slot | Literal | Sequence["Shape"] | Mapping[str, "Shape"]
"""A list or dict binding: nested lists and dicts with slots and constants at the leaves."""


def packer(
    python_type: Any, literal_type: LiteralType | None = None, *, strict: bool = False
) -> Callable[[Any], Value]:
    """Return a function that packs what a node returned for an output of this type.

    It raises what flytekit raises for a value that the type doesn't admit.
    """
    declared = TypeEngine.to_literal_type(python_type) if literal_type is None else literal_type

    def pack(value: Any) -> Value:
        return LiteralValue(python_type, declared, to_literal(value, python_type, declared))

    return pack


def taker(
    producer_type: Any, consumer_type: Any, attr_path: AttrPath = (), *, strict: bool = False
) -> Callable[[Value], Any]:
    """Return a function that takes a value as an input of `consumer_type`: a copy that nobody else holds."""

    def take(value: Value) -> Any:
        return to_native(resolve_attribute(value.literal(), attr_path), consumer_type)

    return take


def from_literal(literal: Literal, python_type: Any, literal_type: LiteralType | None = None) -> Value:
    """Return the value of a literal: a constant in a binding, a default, a hit in the cache."""
    declared = TypeEngine.to_literal_type(python_type) if literal_type is None else literal_type
    return LiteralValue(python_type, declared, literal)


def collector(consumer_type: Any, shape: Shape, *, strict: bool = False) -> Callable[[Sequence[Value]], Any]:
    """Return a function that makes one input of `consumer_type` out of several values, as `f(xs=[a, b])` binds them.

    The function takes the values of the shape's slots in reading order.
    """
    declared = TypeEngine.to_literal_type(consumer_type)

    def collect(values: Sequence[Value]) -> Any:
        filled = _fill(shape, iter(values))
        return to_native(to_literal(filled, consumer_type, declared), consumer_type)

    return collect


def _fill(shape: Shape, values: Any) -> Any:
    """Return the shape with a ready promise at each leaf, which is what flytekit's local run converts."""
    if isinstance(shape, Slot):
        return Promise(var="", val=resolve_attribute(next(values).literal(), shape.attr_path))
    if isinstance(shape, Literal):
        return Promise(var="", val=shape)
    if isinstance(shape, Mapping):
        return {key: _fill(inner, values) for key, inner in shape.items()}
    return [_fill(inner, values) for inner in shape]
