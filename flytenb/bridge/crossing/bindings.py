"""Lists and dicts of promises: one input made of several values. Single values are in `packers`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, get_args, get_origin

from flytekit.core.promise import Promise
from flytekit.core.type_engine import DictTransformer, ListTransformer, TypeEngine
from flytekit.models.literals import Literal

from flytenb.bridge import private
from flytenb.bridge.crossing.copiers import Trust
from flytenb.bridge.crossing.crossing_value import CrossingValue
from flytenb.bridge.crossing.literal import resolve_attribute, to_literal, to_native
from flytenb.bridge.crossing.packers import from_literal, unpacker


@dataclass(frozen=True, slots=True)
class Slot:
    """A position in a list or dict binding that a promise fills: the declared type and the attribute path."""

    producer_type: Any
    attr_path: tuple[str | int, ...] = ()


Shape: TypeAlias = Slot | Literal | Sequence["Shape"] | Mapping[str, "Shape"]
"""A list or dict binding: nested lists and dicts with slots and constants at the leaves."""


def collector(consumer_type: Any, shape: Shape, *, strict: bool = False) -> Callable[[Sequence[CrossingValue]], Any]:
    """Return a function that makes one input of `consumer_type` of several values, as in `f(xs=[a, b])`.

    The function takes the values of the shape's slots in reading order.
    """
    declared = TypeEngine.to_literal_type(consumer_type)
    registry = private.transformer_registry()
    trust = Trust({key: registry.get(key) for key in (list, dict)})
    fill = None if strict else _filler(consumer_type, shape)

    def collect(values: Sequence[CrossingValue]) -> Any:
        if fill is not None and trust.holds():
            return fill(iter(values))
        promises = _promises(shape, iter(values))
        return to_native(to_literal(promises, consumer_type, declared), consumer_type)

    return collect


def _filler(consumer_type: Any, shape: Shape) -> Callable[[Iterator[CrossingValue]], Any] | None:
    """Convert each leaf separately, if flytekit's list and dict transformers do the same; else return None."""
    if isinstance(shape, Slot):
        unpack = unpacker(shape.producer_type, consumer_type, shape.attr_path)
        return lambda values: unpack(next(values))
    if isinstance(shape, Literal):
        constant = from_literal(shape, consumer_type)
        return lambda values: constant.native()
    origin, args = get_origin(consumer_type), get_args(consumer_type)
    transformer = type(TypeEngine.get_transformer(consumer_type))
    if isinstance(shape, Mapping):
        if origin is not dict or transformer is not DictTransformer or args[0] is not str:
            return None
        inner = {key: _filler(args[1], at) for key, at in shape.items()}
        fillers = {key: fill for key, fill in inner.items() if fill is not None}
        if len(fillers) < len(inner):
            return None
        return lambda values: {key: fill(values) for key, fill in fillers.items()}
    if origin is not list or transformer is not ListTransformer:
        return None
    elements = [_filler(args[0], at) for at in shape]
    present = [fill for fill in elements if fill is not None]
    if len(present) < len(elements):
        return None
    return lambda values: [fill(values) for fill in present]


def _promises(shape: Shape, values: Iterator[CrossingValue]) -> Any:
    """Return the shape with a resolved promise at each leaf, as flytekit's local run converts it."""
    if isinstance(shape, Slot):
        return Promise(var="", val=resolve_attribute(next(values).literal(), shape.attr_path))
    if isinstance(shape, Literal):
        return Promise(var="", val=shape)
    if isinstance(shape, Mapping):
        return {key: _promises(inner, values) for key, inner in shape.items()}
    return [_promises(inner, values) for inner in shape]
