"""The keys of a dict have the same order after its literal was written and read."""

from __future__ import annotations

from flyteidl.core import literals_pb2
from flytekit.models.literals import Literal
from hypothesis import given, settings
from hypothesis import strategies as st

from flytenb.bridge.crossing import packer
from flytenb.bridge.type_engine.key_order import is_same_literal, orders_of, put_in_order

NAMES = st.text("abc", max_size=1)
DICTS = st.lists(st.dictionaries(NAMES, st.dictionaries(NAMES, st.integers(0, 3))), max_size=3)
DECLARED = list[dict[str, dict[str, int]]]


def items(value: list[dict[str, dict[str, int]]]) -> list[list[tuple[str, list[tuple[str, int]]]]]:
    return [[(key, [*inner.items()]) for key, inner in each.items()] for each in value]


@settings(max_examples=25, deadline=None)
@given(DICTS)
def test_the_order_is_that_before(value: list[dict[str, dict[str, int]]]) -> None:
    literal = packer(DECLARED, strict=True)(value).literal()
    read = Literal.from_flyte_idl(literals_pb2.Literal.FromString(literal.to_flyte_idl().SerializeToString()))
    put_in_order([read], orders_of(literal))
    found = [[(k, [*v.map.literals]) for k, v in each.map.literals.items()] for each in read.collection.literals]
    assert found == [[(key, [*inner]) for key, inner in each.items()] for each in value]


@settings(max_examples=25, deadline=None)
@given(DICTS, DICTS)
def test_literals_are_the_same_only_in_the_same_order(
    value: list[dict[str, dict[str, int]]], other: list[dict[str, dict[str, int]]]
) -> None:
    pack = packer(DECLARED, strict=True)
    assert is_same_literal(pack(value).literal(), pack(other).literal()) == (items(value) == items(other))
    turned = [dict(reversed(each.items())) for each in value]
    assert is_same_literal(pack(value).literal(), pack(turned).literal()) == (items(value) == items(turned))
