"""The lens says what flytekit really does: held against the type engine itself and against tasks that flytekit runs."""

from __future__ import annotations

import collections
import copy
import dataclasses
import datetime
import enum
import functools
import math
import os
import pathlib
import types
import typing
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple, NewType, Optional, TypedDict, Union

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from flyteidl.core import literals_pb2
from flytekit import FlyteContextManager, kwtypes, task
from flytekit.core.type_engine import TypeEngine, TypeTransformer, TypeTransformerFailedError
from flytekit.models.literals import Literal as FlyteLiteral
from flytekit.models.literals import LiteralMap, Primitive, Scalar
from flytekit.models.types import LiteralType, SimpleType
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from flytekit.types.pickle.pickle import FlytePickleTransformer
from flytekit.types.structured import StructuredDataset
from google.protobuf.struct_pb2 import Struct
from mashumaro.mixins.json import DataClassJSONMixin
from pydantic import BaseModel

from flytenb.bridge.type_engine.transformer_lookup import look_up
from flytenb.types import TypeFacts, read_type
from flytenb.types.round_trip import explain

HERE = str(pathlib.Path(__file__))
FOLDER = str(pathlib.Path(__file__).parents[1] / "golden")
UTC = datetime.UTC
HERE_TIME = datetime.timezone(datetime.timedelta(hours=2))


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Rank(enum.Enum):
    FIRST = 1


class Word(str, enum.Enum):  # noqa: UP042
    YES = "yes"


@dataclass
class Point:
    x: float
    y: float


@dataclass
class Mixed(DataClassJSONMixin):
    x: float
    tags: list[str]


@dataclass(frozen=True)
class Frozen:
    n: int
    when: datetime.datetime = datetime.datetime(2024, 1, 1)


@dataclass
class Deep:
    point: Point
    points: list[Point]
    named: dict[str, Point]
    maybe: Point | None = None
    pair: tuple[int, str] = (1, "a")
    members: set[int] = field(default_factory=lambda: {1, 2})
    color: Color = Color.RED


@dataclass
class Recursive:
    value: int
    next: Recursive | None = None


@dataclass
class Child(Point):
    z: float = 0.0


class Model(BaseModel):
    a: int
    b: list[str] = ["x"]


class Unknown:
    def __init__(self, a: int) -> None:
        self.a = a

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unknown) and self.a == other.a

    __hash__ = None


class Celsius:
    def __init__(self, degrees: float) -> None:
        self.degrees = degrees

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Celsius) and self.degrees == other.degrees

    __hash__ = None


class Kelvin(Celsius):
    pass


class CelsiusTransformer(TypeTransformer[Celsius]):
    def __init__(self) -> None:
        super().__init__("celsius", Celsius)

    def get_literal_type(self, t: Any) -> LiteralType:
        return LiteralType(simple=SimpleType.FLOAT)

    def to_literal(self, ctx: Any, python_val: Any, python_type: Any, expected: Any) -> FlyteLiteral:
        if not isinstance(python_val, Celsius):
            raise TypeTransformerFailedError("not a temperature")
        return FlyteLiteral(scalar=Scalar(primitive=Primitive(float_value=python_val.degrees)))

    def to_python_value(self, ctx: Any, lv: FlyteLiteral, expected_python_type: Any) -> Celsius:
        return expected_python_type(lv.scalar.primitive.float_value)


class Degrees:
    """A type that only an annotation knows how to send."""

    def __init__(self, degrees: float) -> None:
        self.degrees = degrees


class SubInt(int):
    pass


class Pair(NamedTuple):
    a: int
    b: str


class Keyed(TypedDict):
    a: int


UserId = NewType("UserId", int)

STRUCT = Struct()
STRUCT.update({"a": 1.0})


@pytest.fixture(autouse=True, scope="module")
def registered() -> typing.Iterator[None]:
    TypeEngine.register(CelsiusTransformer())
    yield
    del TypeEngine._REGISTRY[Celsius]


CASES: list[tuple[Any, Any]] = [
    (int, 5),
    (int, True),
    (int, SubInt(3)),
    (float, 2.5),
    (float, 1),
    (float, math.nan),
    (float, np.float64(1.0)),
    (bool, True),
    (str, "añb"),
    (bytes, b"\x00"),
    (complex, 1j),
    (datetime.datetime, datetime.datetime(2024, 1, 2, 3, 4, 5, 678901)),
    (datetime.datetime, datetime.datetime(2024, 1, 2, tzinfo=UTC)),
    (datetime.datetime, datetime.datetime(2024, 1, 2, tzinfo=HERE_TIME)),
    (datetime.date, datetime.date(2024, 1, 2)),
    (datetime.time, datetime.time(1, 2)),
    (datetime.timedelta, datetime.timedelta(days=-1, microseconds=7)),
    (type(None), None),
    (Color, Color.BLUE),
    (Color, "blue"),
    (Rank, Rank.FIRST),
    (Word, Word.YES),
    (Literal["a", "b"], "a"),
    (Literal["a", "b"], "z"),
    (Literal[1, 2], 2),
    (Literal[1, "a"], 1),
    (list[int], [1, 2]),
    (list[int], []),
    (list[int], (1, 2)),
    (list[float], [1]),
    (list, [1]),
    (list[list[str]], [["a"], []]),
    (list[tuple[int, int]], [(1, 2)]),
    (list[Unknown], [Unknown(1)]),
    (list[datetime.datetime], [datetime.datetime(2024, 1, 2)]),
    (list[Point], [Point(1.0, 2.0)]),
    (typing.List[int], [1]),  # noqa: UP006
    (dict[str, int], {"a": 1, "b": 2}),
    (dict[str, Color], {"a": Color.RED}),
    (dict[int, str], {1: "a"}),
    (dict, {"a": (1, 2)}),
    (dict, {"a": {"b": [1.5, None]}}),
    (dict[str, Any], {"a": 1}),
    (tuple, (1,)),
    (tuple[int, str], (1, "a")),
    (Pair, Pair(1, "a")),
    (Keyed, {"a": 1}),
    (set[int], {1, 2}),
    (frozenset[str], frozenset({"a"})),
    (collections.OrderedDict, collections.OrderedDict(a=1)),
    (collections.deque, collections.deque([1])),
    (Optional[int], None),  # noqa: UP045
    (Optional[Point], Point(1.0, 2.0)),  # noqa: UP045
    (int | None, 3),
    (int | str, "a"),
    (Union[int, float], 1),  # noqa: UP007
    (int | str, 1.5),
    (Color | str, "red"),
    (Point | Child, Point(1.0, 2.0)),
    (Point | Mixed, Mixed(1.0, ["a"])),
    (Unknown | None, Unknown(1)),
    (Any, 5),
    (Any, None),
    (object, 5),
    (Unknown, Unknown(7)),
    (SubInt, SubInt(3)),
    (UserId, UserId(3)),
    (Annotated[int, "a note"], 3),
    (Annotated[Point, "a note"], Point(1.0, 2.0)),
    (Annotated[Degrees, CelsiusTransformer()], Celsius(3.5)),
    (Celsius, Celsius(21.5)),
    (Celsius, 21.5),
    (Kelvin, Kelvin(21.5)),
    (list[Celsius], [Celsius(21.5)]),
    (Celsius | None, Celsius(21.5)),
    (Point, Point(1.0, 2.0)),
    (Point, Point(1, 2)),
    (Point, Child(1.0, 2.0, 3.0)),
    (Point, {"x": 1.0, "y": 2.0}),
    (Mixed, Mixed(1.5, ["a", "é"])),
    (Frozen, Frozen(3)),
    (Deep, Deep(Point(1.0, 2.0), [Point(3.0, 4.0)], {"k": Point(5.0, 6.0)})),
    (Recursive, Recursive(1, Recursive(2))),
    (Model, Model(a=1)),
    (STRUCT.__class__, STRUCT),
    (np.ndarray, np.arange(6.0).reshape(2, 3)),
    (np.ndarray, np.array([1.0, math.nan])),
    (np.int64, np.int64(3)),
    (pd.DataFrame, pd.DataFrame({"a": [1, 2], "b": ["x", None]})),
    (pd.DataFrame, pd.DataFrame({"a": [1, 2]}, index=["i", "j"])),
    (pd.DataFrame, pd.DataFrame({"a": pd.Categorical(["x", "y"])})),
    (pd.Series, pd.Series([1, 2])),
    (pl.DataFrame, pl.DataFrame({"a": [1, 2]})),
    (pa.Table, pa.table({"a": [1, 2]})),
    (StructuredDataset, StructuredDataset(dataframe=pd.DataFrame({"a": [1]}))),
    (Annotated[StructuredDataset, kwtypes(a=int)], StructuredDataset(dataframe=pd.DataFrame({"a": [1]}))),
    (FlyteFile, FlyteFile(HERE)),
    (FlyteFile, HERE),
    (FlyteFile["py"], FlyteFile["py"](HERE)),
    (FlyteDirectory, FlyteDirectory(FOLDER)),
    (os.PathLike, HERE),
    (pathlib.Path, pathlib.Path(HERE)),
    (typing.Callable[[int], int], len),
    (typing.Iterator[int], iter([1, 2])),
    (typing.Sequence[int], [1]),
]
IDS = [f"{i}-{str(t)[:40]}-{str(v)[:15]!r}".replace("\n", " ") for i, (t, v) in enumerate(CASES)]
each_case = pytest.mark.parametrize(
    "case",
    [
        # flytekit looks for the end of a type that holds itself until Python's stack is full.
        pytest.param(i, id=name, marks=[pytest.mark.slow] * (CASES[i][0] is Recursive))
        for i, name in enumerate(IDS)
    ],
)


@functools.cache
def facts_of(case: int) -> TypeFacts:
    return read_type(*CASES[case])


def hand_over(python_type: Any, value: Any) -> Any:
    """Return what a task receives when it runs as in a pod: all that gets to it is bytes."""
    received = []

    def consume(x):
        received.append(x)

    consume.__annotations__ = {"x": python_type}
    context = FlyteContextManager.current_context()
    sent = TypeEngine.dict_to_literal_map(context, {"x": copied(value)}, {"x": python_type})
    stored = literals_pb2.LiteralMap.FromString(sent.to_flyte_idl().SerializeToString())
    task(consume).dispatch_execute(context, LiteralMap.from_flyte_idl(stored))
    return received[0]


def run_by_flytekit(python_type: Any, value: Any) -> Any:
    """Return what comes back from a task that flytekit runs here."""

    def identity(x):
        return x

    identity.__annotations__ = {"x": python_type, "return": python_type}
    return task(identity)(x=value)


def is_same(one: Any, other: Any) -> bool:
    """Equality in type and content, written without any of what the lens compares with."""
    if isinstance(one, FlyteFile | FlyteDirectory):
        return isinstance(other, FlyteFile | FlyteDirectory) and tree(one) == tree(other)
    if isinstance(one, StructuredDataset):
        return other.open(pd.DataFrame).all().equals(one.dataframe)
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return repr(one) == repr(other)
    if isinstance(one, datetime.datetime):
        return one.isoformat() == other.isoformat()
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=True)
    if isinstance(one, pd.DataFrame):
        return one.equals(other) and type(one.index) is type(other.index) and list(one.dtypes) == list(other.dtypes)
    if hasattr(one, "equals"):
        return one.equals(other)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(is_same(one[k], other[k]) for k in one)
    if dataclasses.is_dataclass(one):
        return all(is_same(getattr(one, f.name), getattr(other, f.name)) for f in dataclasses.fields(one))
    return one == other


def copied(value: Any) -> Any:
    """A copy to convert: flytekit writes into objects that it converts."""
    return value if isinstance(value, types.BuiltinFunctionType) else copy.deepcopy(value)


def tree(stored: Any) -> dict[str, bytes]:
    root = pathlib.Path(os.fspath(stored))
    if root.is_file():
        return {"": root.read_bytes()}
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_there_are_enough_types() -> None:
    assert len({str(t) for t, _ in CASES}) >= 60


@each_case
def test_the_transformer_is_the_one_that_flytekit_takes(case: int) -> None:
    python_type = CASES[case][0]
    found = TypeEngine.get_transformer(python_type)
    lookup = look_up(python_type)
    assert (lookup.transformer, lookup.name, lookup.home) == (type(found).__name__, found.name, type(found).__module__)
    assert lookup.is_pickle == isinstance(found, FlytePickleTransformer)
    (chosen,) = [s for s in lookup.steps if s.is_chosen]
    # Were flytekit to go another way, the lens would say so in a step of its own.
    assert chosen.text != "the type engine itself"


@pytest.mark.sampled(5)
@each_case
def test_a_type_is_refused_exactly_when_flytekit_refuses_it(case: int) -> None:
    python_type = CASES[case][0]
    try:
        literal_type = TypeEngine.to_literal_type(python_type)
    except Exception as error:
        facts = facts_of(case)
        assert str(error).partition("\n")[0] in facts.refusal
        assert facts.literal_type == ""
        assert not facts.container_input.is_supported
        return
    facts = facts_of(case)
    assert facts.refusal == ""
    if literal_type.simple is not None:
        names = [n for n, v in vars(SimpleType).items() if v == literal_type.simple and n.isupper()]
        assert facts.literal_type.partition(" ")[0] in names
    if literal_type.collection_type is not None:
        assert facts.literal_type.startswith("collection of ")
    if literal_type.blob is not None:
        assert facts.literal_type.startswith("blob, ")


@pytest.mark.sampled(5)
@each_case
def test_a_value_comes_back_as_it_does_from_a_task(case: int) -> None:
    python_type, value = CASES[case]
    trip = facts_of(case).trip
    assert trip is not None
    try:
        result = hand_over(python_type, value)
    except Exception:
        assert trip.error
        return
    assert trip.error == ""
    assert (trip.change is None) == is_same(value, result), trip.change


@pytest.mark.parametrize(("python_type", "value"), [(int, 2**63), (str, "\ud800"), (list[int], [-(2**63) - 1])])
def test_what_only_a_local_task_can_hold_stops_before_the_bytes(python_type: Any, value: Any) -> None:
    assert run_by_flytekit(python_type, value) == value
    trip = read_type(python_type, value).trip
    assert trip is not None
    assert [s.name for s in trip.stages] == ["Python", "literal"]
    assert trip.error


@pytest.mark.sampled(5)
@each_case
def test_a_field_works_as_it_does_in_a_dataclass(case: int) -> None:
    python_type, value = CASES[case]
    support = facts_of(case).field
    holder = dataclasses.make_dataclass("Holder", [("value", python_type)])
    try:
        result = hand_over(holder, holder(value)).value
    except Exception:
        assert not support.is_supported, support.how
        return
    assert support.is_supported
    assert (support.how == "comes back unchanged") == is_same(value, result), support.how


def test_an_error_is_one_line_without_the_colours_of_a_terminal() -> None:
    assert explain(ValueError("\x1b[1mload\x1b[0m failed\nmore")) == "load failed (ValueError)"
    assert explain(TypeError("Cannot convert from scalar {\n  union {")) == "Cannot convert from scalar {…} (TypeError)"
    assert explain(KeyError()) == "no message (KeyError)"
