"""The order of the keys of dicts in literals, which the wire format of a literal loses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from flytekit.models.literals import Literal, LiteralMap

Orders: TypeAlias = Sequence[Sequence[str] | None]
"""The keys of each dict in a literal, from the outside in; None for sorted ones, and for all beyond the last."""


def orders_of(*literals: Literal) -> Orders:
    """Return the orders of the dicts in literals."""
    found = [_order(each) for literal in literals for each in _maps_in(literal)]
    return found if any(found) else ()


def put_in_order(literals: Iterable[Literal], orders: Orders) -> None:
    """Put the keys of the dicts in literals that were read from bytes into the order that they had."""
    left = iter(orders)
    for literal in literals:
        _put_in_order(literal, left)


def is_same_literal(literal: Literal, other: Literal) -> bool:
    """Return whether two literals are equal, and the keys of their dicts have the same order."""
    return literal is other or bool(literal == other and [*orders_of(literal)] == [*orders_of(other)])


def _order(found: LiteralMap) -> Sequence[str] | None:
    keys = [*found.literals]
    return keys if keys != sorted(keys) else None


def _inside(literal: Literal) -> Iterator[Literal]:
    if literal.collection is not None:
        yield from literal.collection.literals
    elif literal.map is not None:
        yield from literal.map.literals.values()
    elif literal.scalar is not None and literal.scalar.union is not None:
        yield literal.scalar.union.value


def _maps_in(literal: Literal) -> Iterator[LiteralMap]:
    if literal.map is not None:
        yield literal.map
    for inner in _inside(literal):
        yield from _maps_in(inner)


def _put_in_order(literal: Literal, orders: Iterator[Sequence[str] | None]) -> None:
    if literal.map is not None:
        held, order = literal.map.literals, next(orders, None)
        ordered = {key: held[key] for key in (sorted(held) if order is None else order)}
        held.clear()
        held.update(ordered)
    for inner in _inside(literal):
        _put_in_order(inner, orders)
