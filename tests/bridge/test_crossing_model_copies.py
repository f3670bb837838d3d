"""Models that cross as copies are what flytekit's type engine makes of their literals; of all others it makes these."""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import math
from datetime import datetime
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

import pytest
from flytekit import FlyteContextManager
from flytekit.core.type_engine import TypeEngine
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    RootModel,
    computed_field,
    field_serializer,
    field_validator,
    model_serializer,
    model_validator,
)

from flytenb.bridge.crossing import packer, unpacker
from flytenb.bridge.crossing.copier_lookup import find_copier
from flytenb.bridge.crossing.model_copies import ModelCopy
from tests.crossing import difference

T = TypeVar("T")


class Inner(BaseModel):
    z: int = 1


class Item(BaseModel):
    z: int = 1


class Rest(BaseModel):
    z: int = 1


class Plain(BaseModel):
    """One field of each kind that has a copier."""

    limit: ClassVar[int] = 3
    flag: bool = True
    whole: int = 0
    real: float = 0.0
    text: str = "é"
    maybe: int | None = None
    inner: Inner = Field(default_factory=Inner, description="a text for readers")
    inners: list[Item] = Field(default_factory=list)
    perhaps: Rest | None = None
    named: dict[str, list[float]] = Field(default_factory=dict)

    def doubled(self) -> float:
        return 2 * self.real


class Child(Plain):
    more: str = "x"


class Constrained(BaseModel):
    x: int = Field(gt=0)


class Aliased(BaseModel):
    x: int = Field(alias="y")


class Excluding(BaseModel):
    x: int = Field(default=0, exclude=True)


class Private(BaseModel):
    x: int
    _seen: int = PrivateAttr(default=1)


class PostInit(BaseModel):
    x: int

    def model_post_init(self, context: Any, /) -> None:
        self.x += 1


class OwnInit(BaseModel):
    x: int

    def __init__(self, **given: Any) -> None:
        super().__init__(x=given["x"] + 1)


class OwnNew(BaseModel):
    x: int

    def __new__(cls, *_: Any, **__: Any) -> Any:
        return super().__new__(cls)


class OwnReading(BaseModel):
    x: int

    @field_validator("x")
    @classmethod
    def read(cls, x: int) -> int:
        return x + 1


class OwnModelReading(BaseModel):
    x: int

    @model_validator(mode="after")
    def read(self) -> OwnModelReading:
        self.x += 1
        return self


class OwnWriting(BaseModel):
    x: int

    @field_serializer("x")
    def write(self, x: int) -> int:
        return x + 1


class OwnModelWriting(BaseModel):
    x: int

    @model_serializer
    def write(self) -> dict[str, int]:
        return {"x": self.x + 1}


class OwnJson(BaseModel):
    x: int

    def model_dump_json(self, **options: Any) -> str:
        return '{"x": 7}'


class OwnJsonReading(BaseModel):
    x: int

    @classmethod
    def model_validate_json(cls, json_data: Any, **options: Any) -> Any:
        return cls(x=8)


class OwnAttributes(BaseModel):
    x: int

    def __getattribute__(self, name: str) -> Any:
        return super().__getattribute__(name)


class Computing(BaseModel):
    x: int

    @computed_field  # type: ignore[prop-decorator]
    @property
    def more(self) -> int:
        return self.x + 1


class Loose(BaseModel):
    model_config = ConfigDict(extra="allow")
    x: int


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)
    x: int


class Stripping(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True)
    x: str


class Infinite(BaseModel):
    model_config = ConfigDict(ser_json_inf_nan="constants")
    x: float


class Before(BaseModel):
    x: Annotated[int, BeforeValidator(lambda x: x + 1)]


class Root(RootModel[list[int]]):
    pass


class Of(BaseModel, Generic[T]):
    x: T


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: float


class Others(BaseModel):
    colour: Colour = Colour.RED
    point: Point = dataclasses.field(default_factory=lambda: Point(1.0))
    pair: tuple[int, int] = (1, 2)
    many: set[int] = {1}
    either: int | str = "1"
    choice: Literal["a", "b"] = "a"
    at: datetime = datetime(2020, 1, 1)
    anything: Any = 3
    by_number: dict[int, int] = {1: 2}


class Sharing(BaseModel):
    one: Inner = Inner()
    other: Inner = Inner()


class Tree(BaseModel):
    below: list[Tree] = []


class Holding(BaseModel):
    inner: OwnReading


COPIED: list[BaseModel] = [
    Plain(),
    Plain(flag=False, whole=2**63, real=-0.0, text="\x00 \U0001f600", maybe=1, inner=Inner(z=2), inners=[Item()]),
    Plain(perhaps=Rest(z=3), named={"a": [1e22, 5e-324], "": []}, real=0.1),
    Child(more="y", whole=-(2**63)),
    Inner.model_construct(),
    Frozen(x=1),
]
CONVERTED: list[BaseModel] = [
    Constrained(x=1), Aliased(y=1), Excluding(x=1), Private(x=1), PostInit(x=1), OwnInit(x=1), OwnNew(x=1),
    OwnReading(x=1), OwnModelReading(x=1), OwnWriting(x=1), OwnModelWriting(x=1), OwnJson(x=1), OwnJsonReading(x=1),
    OwnAttributes(x=1), Computing(x=1), Loose(x=1, y=2), Stripping(x=" a "), Infinite(x=math.inf),  # type: ignore[call-arg]
    Before(x=1), Root([1]), Of[int](x=1), Others(), Tree(below=[Tree()]), Sharing(), Holding(inner=OwnReading(x=1)),
]  # fmt: skip
UNPROVEN: list[BaseModel] = [
    Plain(real=math.nan),
    Plain(real=math.inf),
    Plain(whole=2**70),
    Plain(text="\ud800"),
    Plain.model_construct(real=1),
    Plain.model_construct(text=3),
    Plain.model_construct(inner={"z": 1}),
    Plain.model_construct(inners=(Item(),)),
    Inner.model_construct(_fields_set=set(), z=True),
    Plain().model_copy(update={"extra": 1}),
    Plain(inner=type("Sub", (Inner,), {"__annotations__": {"w": int}, "w": 1})(), whole=1),
]


def state(value: Any) -> Any:
    """What a model holds, all of it, with types."""
    if isinstance(value, BaseModel):
        parts = ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
        found = [object.__getattribute__(value, part) for part in parts]
        return type(value).__qualname__, {n: state(v) for n, v in found[0].items()}, *found[1:]
    if isinstance(value, list | tuple):
        return [type(value).__name__, *map(state, value)]
    return {k: state(v) for k, v in value.items()} if isinstance(value, dict) else value


def by_engine(value: Any, python_type: Any) -> Any:
    context = FlyteContextManager.current_context()
    declared = TypeEngine.to_literal_type(python_type)
    literal = asyncio.run(TypeEngine.async_to_literal(context, value, python_type, declared))
    return asyncio.run(TypeEngine.async_to_python_value(context, literal, python_type))


def result(cross: Any, value: Any, python_type: Any) -> Any:
    try:
        return state(cross(value, python_type))
    except Exception:
        return "refused"


def crossed(value: Any, python_type: Any) -> Any:
    return unpacker(python_type, python_type)(packer(python_type)(value))


@pytest.mark.sampled(3)
@pytest.mark.parametrize("value", [*COPIED, *CONVERTED, *UNPROVEN], ids=lambda value: type(value).__name__)
def test_a_model_is_what_its_literal_is(value: BaseModel) -> None:
    for python_type, given in ((type(value), value), (list[type(value)], [value, value])):  # type: ignore[misc]
        expected = result(by_engine, given, python_type)
        found = result(crossed, given, python_type)
        assert "refused" in (found, expected) or difference(found, expected) == ""
        assert (found == "refused") == (expected == "refused")


@pytest.mark.parametrize("value", COPIED, ids=lambda value: type(value).__name__)
def test_a_plain_model_is_copied(value: BaseModel) -> None:
    assert packer(type(value))(value).method == "copy"


def test_copies_are_of_their_own() -> None:
    value = Plain(real=2.0, named={"a": []})
    packed = packer(Plain)(value)
    first, second = (unpacker(Plain, Plain)(packed) for _ in range(2))
    first.inner.z, first.named["new"] = 99, []
    value.inner.z = 98
    assert second.inner.z not in (98, 99)
    assert "new" not in second.named
    assert second.doubled() == 4.0


@pytest.mark.parametrize("value", CONVERTED, ids=lambda value: type(value).__name__)
def test_a_model_with_anything_of_its_own_has_no_copier(value: BaseModel) -> None:
    assert find_copier(type(value)) is None


@pytest.mark.parametrize("value", UNPROVEN, ids=range(len(UNPROVEN)))
def test_a_model_that_json_changes_or_refuses_is_not_copied(value: BaseModel) -> None:
    try:
        assert packer(type(value))(value).method == "literal"
    except Exception as e:
        assert result(by_engine, value, type(value)) == "refused", e


def test_a_class_that_is_made_anew_is_converted() -> None:
    class Changing(BaseModel):
        x: int

    assert isinstance(find_copier(Changing), ModelCopy)
    Changing.model_fields["x"].metadata.append(BeforeValidator(lambda x: x + 1))
    Changing.model_rebuild(force=True)
    value = Changing.model_construct(x=1)
    assert packer(Changing)(value).method == "literal"
    assert state(crossed(value, Changing)) == state(by_engine(value, Changing))
