"""The crossing law: a value arrives as a literal round trip would return it, and nobody shares it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from flytekit.core.type_engine import TypeTransformerFailedError
from flytekit.exceptions.user import FlytePromiseAttributeResolveException

from flytenb.bridge.crossing import Slot, collector, from_literal, packer, resolve_attribute, taker


@dataclass
class Pair:
    a: int
    b: list[int]


def test_a_wrong_value_is_refused_as_flytekit_refuses_it() -> None:
    with pytest.raises(TypeTransformerFailedError, match="but got 'x'"):
        packer(int)("x")


def test_an_attribute_promise_can_be_used_again_and_again() -> None:
    value = packer(Pair)(Pair(1, [2, 3]))
    take = taker(Pair, int, ("b", 1))
    assert [take(value), take(value), taker(Pair, int, ("a",))(value)] == [3, 3, 1]


def test_a_path_that_leads_nowhere_raises_as_in_flytekit() -> None:
    literal = packer(dict[str, int])({"k": 1}).literal()
    with pytest.raises(FlytePromiseAttributeResolveException, match="x"):
        resolve_attribute(literal, ("x",))
    with pytest.raises(FlytePromiseAttributeResolveException, match="out of range"):
        resolve_attribute(packer(list[int])([1]).literal(), (1,))


def test_several_promises_fill_one_list_or_dict() -> None:
    five, pair, seven = packer(int)(5), packer(Pair)(Pair(1, [2])), packer(int)(7).literal()
    assert collector(list[int], [Slot(int), seven, Slot(Pair, ("a",))])([five, pair]) == [5, 7, 1]
    assert collector(list[int] | None, [Slot(int)])([five]) == [5]
    assert collector(dict[str, list[int]], {"k": [Slot(int)], "l": []})([five]) == {"k": [5], "l": []}


def test_a_literal_becomes_a_value() -> None:
    value = from_literal(packer(list[int])([1, 2]).literal(), list[int])
    assert (value.way, value.native(), taker(list[int], list[int])(value)) == ("literal", [1, 2], [1, 2])
