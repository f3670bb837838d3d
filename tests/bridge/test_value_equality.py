"""Values compared by what they hold: a table of things that are made twice, and of others that differ in one place."""

from __future__ import annotations

import datetime
import decimal
import itertools
import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from flytekit import StructuredDataset
from flytekit.core.type_engine import TypeEngine
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from flytekit.types.schema import FlyteSchema, SchemaOpenMode
from pydantic import BaseModel

from flytenb.bridge.crossing.value_equality import IncomparableError, is_same

NAN = float("nan")


class Color(Enum):
    RED = 1
    BLUE = 2


@dataclass
class Report:
    score: float
    files: list[Any] = field(default_factory=list)
    note: str = field(default="", compare=False)


class Model(BaseModel):
    score: float
    tags: dict[str, float] = {}


class Pair(NamedTuple):
    a: float
    b: str


class Plain:
    """Says nothing of equality."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Own:
    def __init__(self, value: int) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Own) and self.value % 10 == other.value % 10

    __hash__ = None  # type: ignore[assignment]


class Ring:
    def __init__(self, value: int) -> None:
        self.value = value
        self.me = self


def frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(columns)


SAME: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "int": (lambda: 5, lambda: 6),
    "bool": (lambda: True, lambda: False),
    "kinds of number": (lambda: 1, lambda: 1.0),
    "bool or int": (lambda: 1, lambda: True),
    "float": (lambda: 0.1 + 0.2, lambda: 0.3),
    "nan": (lambda: float("nan"), lambda: 0.0),
    "complex nan": (lambda: complex(1, math.nan), lambda: complex(1, 2)),
    "decimal nan": (lambda: decimal.Decimal("NaN"), lambda: decimal.Decimal(0)),
    "text": (lambda: "".join("ab"), lambda: "ba"),
    "bytes": (lambda: bytes([1, 2]), lambda: bytearray([1, 2])),
    "none": (lambda: None, lambda: 0),
    "enum": (lambda: Color.RED, lambda: Color.BLUE),
    "date": (lambda: datetime.datetime(2024, 1, 1), lambda: datetime.datetime(2024, 1, 2)),
    "list of nan": (lambda: [1.0, float("nan")], lambda: [float("nan"), 1.0]),
    "shorter list": (lambda: [1, 2], lambda: [1]),
    "list or tuple": (lambda: [1, 2], lambda: (1, 2)),
    "dict": (lambda: {"a": [float("nan")]}, lambda: {"a": [1.0]}),
    "dict in another order": (lambda: {"a": 1, "b": 2}, lambda: {"b": 2}),
    "dict of other keys": (lambda: {"a": 1}, lambda: {"b": 1}),
    "set": (lambda: {1, 2}, lambda: {1}),
    "named tuple": (lambda: Pair(float("nan"), "x"), lambda: Pair(float("nan"), "y")),
    "dataclass": (lambda: Report(float("nan"), [1]), lambda: Report(float("nan"), [2])),
    "model": (lambda: Model(score=float("nan"), tags={"a": NAN}), lambda: Model(score=NAN, tags={"a": 1})),
    "array": (lambda: np.array([1.0, np.nan]), lambda: np.array([1.0, 2.0])),
    "array of another type": (lambda: np.array([1]), lambda: np.array([1.0])),
    "array of another shape": (lambda: np.zeros((2, 3)), lambda: np.zeros((3, 2))),
    "array of times": (lambda: np.array(["2024", "NaT"], "datetime64[D]"), lambda: np.array(["NaT", "2024"], "M8[D]")),
    "array of objects": (
        lambda: np.array([[1, NAN], None], dtype=object),
        lambda: np.array([[1, 2], None], dtype=object),
    ),
    "array of texts": (lambda: np.array(["a", "b"]), lambda: np.array(["a", "c"])),
    "array of records": (lambda: np.array([(1, 2.0)], "i4,f4"), lambda: np.array([(1, 3.0)], "i4,f4")),
    "empty array": (lambda: np.array([]), lambda: np.array([1.0])),
    "scalar": (lambda: np.float64("nan"), lambda: np.float64(1)),
    "frame": (lambda: frame(a=[1.0, NAN], b=["x", None]), lambda: frame(a=[1.0, 2.0], b=["x", None])),
    "frame of another type": (lambda: frame(a=[1, 2]), lambda: frame(a=[1.0, 2.0])),
    "frame of another name": (lambda: frame(a=[1]), lambda: frame(b=[1])),
    "frame of another index": (lambda: frame(a=[1, 2]), lambda: frame(a=[1, 2]).set_index(pd.Index([5, 6]))),
    "frame with arrays": (lambda: frame(a=[np.array([1, 2]), None]), lambda: frame(a=[np.array([1, 3]), None])),
    "frame with lists": (lambda: frame(a=[[1.0, NAN], {}]), lambda: frame(a=[[1.0, 2.0], {}])),
    "series": (lambda: pd.Series([1.0, NAN]), lambda: pd.Series([1.0, 2.0])),
    "timestamp": (lambda: pd.NaT, lambda: pd.Timestamp("2024")),
    "polars": (lambda: pl.DataFrame({"a": [1.0, NAN, None]}), lambda: pl.DataFrame({"a": [1.0, None, NAN]})),
    "polars of another type": (lambda: pl.DataFrame({"a": [1]}), lambda: pl.DataFrame({"a": [1.0]})),
    "lazy polars": (lambda: pl.LazyFrame({"a": [1]}), lambda: pl.LazyFrame({"a": [2]})),
    "polars series": (lambda: pl.Series("a", [1.0, NAN]), lambda: pl.Series("a", [1.0, 2.0])),
    "table": (lambda: pa.table({"a": [1.0, NAN, None]}), lambda: pa.table({"a": [1.0, None, NAN]})),
    "table of another type": (lambda: pa.table({"a": [1]}), lambda: pa.table({"a": [1.0]})),
    "arrow array": (lambda: pa.array([1.0, NAN]), lambda: pa.array([1.0, 2.0])),
    "dataset": (lambda: StructuredDataset(frame(a=[NAN])), lambda: StructuredDataset(frame(a=[1.0]))),
    "object": (lambda: Plain([NAN, {"a": 1}]), lambda: Plain([NAN, {"a": 2}])),
    "object with equality": (lambda: Own(3), lambda: Own(4)),
    "object that holds itself": (lambda: Ring(1), lambda: Ring(2)),
    "iterator": (lambda: iter([1, NAN]), lambda: iter([1, 2])),
    "deep": (lambda: [{"a": (Report(NAN, [np.array([NAN])]),)}], lambda: [{"a": (Report(NAN, [np.array([1.0])]),)}]),
}


@pytest.mark.parametrize("name", SAME)
def test_what_is_made_twice_is_the_same_and_what_differs_in_one_place_is_not(name: str) -> None:
    make, other = SAME[name]
    assert is_same(make(), make())
    assert not is_same(make(), other())
    assert not is_same(other(), make())
    assert is_same({"k": [make()]}, {"k": [make()]})
    assert not is_same([Report(1.0, [make()])], [Report(1.0, [other()])])


def test_a_field_that_does_not_count_and_a_users_equality_are_respected() -> None:
    assert is_same(Report(1.0, note="a"), Report(1.0, note="b"))
    assert is_same(Own(13), Own(3))


def test_an_iterator_without_an_end_is_not_read_to_it() -> None:
    with pytest.raises(IncomparableError, match="iterators of more than 100,000 items"):
        is_same(itertools.count(), itertools.count())
    assert not is_same(itertools.count(), itertools.count(1))


def test_iterators_of_objects_stay_unread() -> None:
    this, other = Plain([itertools.count()]), Plain([itertools.count()])
    with pytest.raises(IncomparableError, match="type count in Plain doesn't say when two are equal"):
        is_same([this], [other])
    assert next(this.value[0]) == next(other.value[0]) == 0


@pytest.mark.parametrize(
    "wrap", [lambda value: Plain([value, value]), lambda value: (value, value), lambda value: {"a": value, "b": value}]
)
def test_what_is_in_many_places_is_compared_once(wrap: Any) -> None:
    def deep(last: int) -> Any:
        value: Any = [last]
        for _ in range(60):
            value = wrap(value)
        return value

    assert is_same(deep(1), deep(1))
    assert not is_same(deep(1), deep(2))


def test_a_class_that_was_defined_again_is_still_that_class() -> None:
    def defined() -> Any:
        return dataclass(type("Again", (), {"__annotations__": {"a": int}, "__module__": "__main__"}))

    assert is_same(defined()(1), defined()(1))
    assert not is_same(defined()(1), defined()(2))


@pytest.fixture
def trees(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    count = iter(range(100))

    def make(**files: str) -> Path:
        root = tmp_path / f"tree{next(count)}"
        for name, text in files.items():
            path = root / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return root

    yield make


def test_files_are_compared_by_their_bytes_wherever_they_are(trees: Callable[..., Path]) -> None:
    one, two, other = (
        FlyteFile(str(trees(**{name: text}) / name)) for name, text in (("a", "x"), ("b", "x"), ("a", "y"))
    )
    assert is_same(one, two)
    assert not is_same(one, other)
    assert is_same([{"k": Report(1.0, [one])}], [{"k": Report(1.0, [two])}])
    assert not is_same([{"k": Report(1.0, [one])}], [{"k": Report(1.0, [other])}])
    assert is_same(FlyteFile["txt"](one.path), two)


def test_directories_are_compared_by_their_trees(trees: Callable[..., Path]) -> None:
    def directory(**files: str) -> FlyteDirectory:
        return FlyteDirectory(str(trees(**files)))

    assert is_same(directory(a="x", b__c="y"), directory(a="x", b__c="y"))
    for other in ({"a": "x"}, {"a": "x", "b__c": "z"}, {"a": "x", "b__d": "y"}, {"a": "x", "b": "y"}):
        assert not is_same(directory(a="x", b__c="y"), directory(**other))


def test_schemas_are_compared_by_their_frames() -> None:
    TypeEngine.lazy_import_transformers()  # which registers what opens a schema as a frame

    def schema(value: float) -> FlyteSchema:
        made = FlyteSchema()
        made.open(pd.DataFrame).write(frame(a=[value, NAN]))
        path = str(made.local_path)
        read = SchemaOpenMode.READ
        return FlyteSchema(local_path=path, remote_path=path, supported_mode=read, downloader=lambda *paths: None)

    assert is_same([schema(1.0)], [schema(1.0)])
    assert not is_same(schema(1.0), schema(2.0))


def raising(self: Any, other: object) -> bool:
    raise RuntimeError("by the user")


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (threading.Lock, "lock"),
        (lambda: lambda: 1, "function"),
        (lambda: type("Bad", (), {"__eq__": raising})(), "RuntimeError: by the user"),
        (lambda: FlyteFile("/nowhere/at/all"), "nowhere"),
        (lambda: [Plain(threading.Lock())], "lock"),
    ],
)
def test_what_can_not_be_compared_says_why(make: Callable[[], Any], why: str) -> None:
    with pytest.raises(IncomparableError, match=why):
        is_same(make(), make())
