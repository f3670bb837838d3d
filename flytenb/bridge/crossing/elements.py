"""Lists split into elements and joined again, without converting existing literals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args, get_origin

from flytekit.core.type_engine import ListTransformer, TypeEngine
from flytekit.models.literals import Literal, LiteralCollection, LiteralMap, Scalar, Void

from flytenb.bridge.crossing.copier_lookup import find_copier
from flytenb.bridge.crossing.copiers import ListCopy
from flytenb.bridge.crossing.crossing_value import CopiedValue, CrossingValue, LiteralValue, OutputType, SharedValue
from flytenb.bridge.crossing.packers import from_literal, hash_of, packed_class, packer

_NONE = Literal(scalar=Scalar(none_type=Void()))


def split(value: CrossingValue, element_type: Any, *, strict: bool = False) -> list[CrossingValue]:
    """Return the elements of a list as separate values.

    Raises:
        Exception: the type engine's error for an element.
    """
    if value.method == "literal" and _is_plain_list(value.python_type):
        collection = value.literal().collection
        if collection is not None:
            first = from_literal(Literal(), element_type)
            output_type = OutputType(element_type, None, None if strict else first.output_type.copier)
            return [LiteralValue(output_type, literal) for literal in collection.literals]
    if isinstance(value, CopiedValue) and not strict and _is_list_of(value.python_type, element_type):
        copier = find_copier(element_type)
        if copier is not None and value.output_type.trusted_copier.trust.holds():
            make, output_type = packed_class(copier), OutputType(element_type, None, copier)
            return [make(output_type, element) for element in value.held]  # what is held is never changed
    pack = packer(element_type, strict=strict)
    return [pack(element) for element in value.native()]


def join(values: Sequence[CrossingValue | None], list_type: Any, *, strict: bool = False) -> CrossingValue:
    """Return the list of these values; None replaces a missing one.

    A cluster puts the literal of None there, whatever the type: `map_task(t, min_successes=…)` declares `list[T]`.

    Raises:
        Exception: the type engine's error for the list.
    """
    element_type = get_args(list_type)[0] if get_args(list_type) else None
    if None in values and type(None) not in get_args(element_type):
        literals = [_NONE if v is None else v.literal() for v in values]
        optional = list[element_type | None]  # type: ignore[valid-type]
        return from_literal(Literal(collection=LiteralCollection(literals)), optional)
    present = [v for v in values if v is not None]
    is_converted = any(v.method == "literal" for v in present)
    is_same = len(present) == len(values) and all(v.python_type == element_type for v in present)
    if is_converted and is_same and _is_plain_list(list_type):
        return from_literal(Literal(collection=LiteralCollection([v.literal() for v in present])), list_type)
    copier = None if strict or not is_same else find_copier(list_type)
    if isinstance(copier, ListCopy) and all(map(_is_proven, present)):
        return CopiedValue(OutputType(list_type, None, copier), [v.held for v in present])  # type: ignore[attr-defined]
    return packer(list_type, strict=strict)([None if v is None else v.native() for v in values])


def hashed_list(values: Sequence[CrossingValue]) -> CrossingValue | None:
    """Return the list of these values as a literal if a producer gave a hash to any of them, else None."""
    if all(hash_of(value) is None for value in values):
        return None
    return from_literal(Literal(collection=LiteralCollection([value.literal() for value in values])), None)


def hashed_dict(values: Mapping[str, CrossingValue]) -> CrossingValue | None:
    """Return the dict of these values as a literal if a producer gave a hash to any of them, else None."""
    if all(hash_of(value) is None for value in values.values()):
        return None
    return from_literal(Literal(map=LiteralMap({key: value.literal() for key, value in values.items()})), None)


def _is_list_of(python_type: Any, element_type: Any) -> bool:
    return get_origin(python_type) is list and get_args(python_type) == (element_type,)


def _is_proven(value: CrossingValue) -> bool:
    """Tell whether a value was proven, and its type has the same transformer still."""
    return isinstance(value, SharedValue | CopiedValue) and value.output_type.trusted_copier.trust.holds()


def _is_plain_list(python_type: Any) -> bool:
    """Tell whether flytekit's own transformer makes a literal of each element."""
    return get_origin(python_type) is list and type(TypeEngine.get_transformer(python_type)) is ListTransformer
