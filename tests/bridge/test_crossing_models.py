"""Pydantic models are converted as flytekit's type engine converts them, without asking it for each."""

from __future__ import annotations

import asyncio
import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from flytekit import FlyteContextManager
from flytekit.core.type_engine import TypeEngine, TypeTransformer
from flytekit.models.literals import Literal, Primitive, Scalar
from flytekit.models.types import LiteralType, SimpleType
from pydantic import BaseModel, ConfigDict, Field, field_serializer, field_validator

from flytenb.bridge import private
from flytenb.bridge.crossing.literal import to_literal, to_native
from flytenb.bridge.crossing.pydantic_models import find_models


class Colour(Enum):
    RED = "red"


class Inner(BaseModel):
    z: int = 1


class Point(BaseModel):
    x: float
    name: str = "é"
    inner: Inner = Field(default_factory=Inner)
    at: datetime.datetime | None = None
    exact: Decimal = Decimal("0.10")
    colour: Colour = Colour.RED
    many: dict[str, list[int]] = Field(default_factory=dict)


class Loose(BaseModel):
    model_config = ConfigDict(extra="allow")
    x: int


class Opinionated(BaseModel):
    x: int

    @field_serializer("x")
    def write(self, x: int) -> str:
        return f"{x}!"

    @field_validator("x", mode="before")
    @classmethod
    def read(cls, x: Any) -> Any:
        return int(x.rstrip("!")) + 1 if isinstance(x, str) else x


class Child(Point):
    extra: int = 3


CASES: list[tuple[Any, Any]] = [
    (Point, Point(x=1.5, at=datetime.datetime(2020, 1, 1), many={"a": [1]})),
    (Point, Point(x=1e22)),
    (Point, Child(x=2)),
    (Loose, Loose(x=1, y=[1, "2"])),  # type: ignore[call-arg]
    (Opinionated, Opinionated(x=4)),
    (list[Point], [Point(x=1), Point(x=2)]),
    (list[Point], []),
    (list[Point], [Point(x=1), Child(x=2)]),
    (list[list[Inner]], [[Inner()], []]),
    (dict[str, Inner], {"a": Inner(z=2)}),
]
WRONG: list[tuple[Any, Any]] = [
    (Point, None),
    (Point, (1, 2)),
    (list[Point], None),
    (list[Point], (Point(x=1),)),
    (list[Point], [Point(x=1), None]),
    (Loose, Loose(x=2**70)),
]


def by_engine(value: Any, python_type: Any) -> Literal:
    context = FlyteContextManager.current_context()
    declared = TypeEngine.to_literal_type(python_type)
    literal: Literal = asyncio.run(TypeEngine.async_to_literal(context, value, python_type, declared))
    return literal


@pytest.mark.parametrize(("python_type", "value"), CASES, ids=repr)
def test_a_model_crosses_as_the_type_engine_takes_it(python_type: Any, value: Any) -> None:
    expected = by_engine(value, python_type)
    literal = to_literal(value, python_type, TypeEngine.to_literal_type(python_type))
    assert literal == expected
    context = FlyteContextManager.current_context()
    back = asyncio.run(TypeEngine.async_to_python_value(context, expected, python_type))
    taken = to_native(literal, python_type)
    assert taken == back
    assert type(taken) is type(back)
    assert taken is not value


@pytest.mark.parametrize(("python_type", "value"), WRONG, ids=repr)
def test_what_the_type_engine_refuses_is_refused_in_its_words(python_type: Any, value: Any) -> None:
    with pytest.raises(BaseException) as expected:
        by_engine(value, python_type)
    with pytest.raises(type(expected.value)) as found:
        to_literal(value, python_type, TypeEngine.to_literal_type(python_type))
    assert str(found.value) == str(expected.value)


class InnerAsText(TypeTransformer[Inner]):
    """A transformer of the user's own."""

    def __init__(self) -> None:
        super().__init__("inner as text", Inner)

    def get_literal_type(self, t: type[Inner]) -> LiteralType:
        return LiteralType(simple=SimpleType.STRING)

    def to_literal(self, ctx: Any, python_val: Inner, python_type: type[Inner], expected: LiteralType) -> Literal:
        return Literal(scalar=Scalar(primitive=Primitive(string_value=f"z{python_val.z}")))

    def to_python_value(self, ctx: Any, lv: Literal, expected_python_type: type[Inner]) -> Inner:
        return Inner(z=int(lv.scalar.primitive.string_value[1:]) + 100)


@pytest.mark.parametrize("python_type", [Inner, list[Inner]], ids=repr)
def test_a_transformer_that_is_registered_later_is_asked(python_type: Any) -> None:
    value = Inner(z=1) if python_type is Inner else [Inner(z=1)]
    assert find_models(python_type) is not None
    to_literal(value, python_type, TypeEngine.to_literal_type(python_type))
    TypeEngine.register(InnerAsText())
    try:
        assert find_models(python_type) is None
        literal = to_literal(value, python_type, TypeEngine.to_literal_type(python_type))
        assert literal == by_engine(value, python_type)
        taken = to_native(literal, python_type)
        assert taken == (Inner(z=101) if python_type is Inner else [Inner(z=101)])
    finally:
        del private.transformer_registry()[Inner]
    assert find_models(python_type) is not None
