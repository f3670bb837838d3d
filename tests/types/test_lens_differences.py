"""The first difference between what went in and what came back: where it is, and why."""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from flytenb.types.value_changes import first_change

UTC = datetime.UTC
NOON = datetime.datetime(2024, 1, 1, 12)


@dataclass
class Point:
    x: float
    y: Any = None
    made: int = field(init=False, default=0)


@dataclass
class Child(Point):
    pass


class Color(Enum):
    RED = "red"


class Word(StrEnum):
    YES = "yes"


class Model(BaseModel):
    a: Any


class Plain:
    def __init__(self, a: Any) -> None:
        self.a = a


class Slotted:
    __slots__ = ("a",)

    def __init__(self, a: Any) -> None:
        self.a = a


class Judge:
    """Says itself whether it equals another."""

    def __init__(self, verdict: Any) -> None:
        self.verdict = verdict

    def __eq__(self, other: object) -> Any:
        if isinstance(self.verdict, Exception):
            raise self.verdict
        return self.verdict

    __hash__ = None


class Opaque:
    def __init__(self) -> None:
        pass


def moved(point: Point, made: int) -> Point:
    point.made = made
    return point


def noted(error: Exception, note: str) -> Exception:
    error.add_note(note)
    return error


def extended(point: Point, **extra: Any) -> Point:
    vars(point).update(extra)
    return point


SAME: list[tuple[Any, Any]] = [
    (1, 1),
    (math.nan, math.nan),
    ([math.nan], [math.nan]),
    (NOON.replace(tzinfo=UTC), datetime.datetime(2024, 1, 1, 12, tzinfo=datetime.timezone(datetime.timedelta(0)))),
    ({"a": [1, (2, 3)]}, {"a": [1, (2, 3)]}),
    ({1, 2}, {2, 1}),
    (Point(1.0, [Point(2.0)]), Point(1.0, [Point(2.0)])),
    (Model(a=1), Model(a=1)),
    (Plain([1]), Plain([1])),
    (Slotted(1), Slotted(1)),
    (Judge(True), Judge(True)),
    (object(), object()),
    (ValueError("x", [1]), ValueError("x", [1])),
    (np.array([1.0, math.nan]), np.array([1.0, math.nan])),
    (np.array(["a"], dtype=object), np.array(["a"], dtype=object)),
    (pd.DataFrame({"a": [1, None]}), pd.DataFrame({"a": [1, None]})),
    (pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [1]})),
    (pa.table({"a": [1]}), pa.table({"a": [1]})),
]


@pytest.mark.parametrize(("before", "after"), SAME, ids=[str(type(b)) + str(i) for i, (b, _) in enumerate(SAME)])
def test_what_is_the_same_has_no_difference(before: Any, after: Any) -> None:
    assert first_change(before, after) is None


CHANGED: list[tuple[Any, Any, str, str]] = [
    (NOON, NOON.replace(tzinfo=UTC), "", "read as UTC"),
    (NOON, NOON.replace(hour=13, tzinfo=UTC), "", "the instant differs"),
    (NOON.astimezone(datetime.timezone(datetime.timedelta(hours=5))), NOON.astimezone(UTC), "", "the time zone isn't"),
    (1, 1.0, "", "is read back as a float"),
    (True, 1, "", "which a bool is"),
    (1.5, 1, "", "the fraction is cut off"),
    ((1, 2), [1, 2], "", "no tuples"),
    ({1}, [1], "", "no sets"),
    (Color.RED, "red", "", "the value of the member is sent"),
    ("red", Color.RED, "", "read back as a member"),
    (Child(1.0), Point(1.0), "", "those that Child adds are lost"),
    ("a.csv", FlyteFile("a.csv"), "", "converts a path"),
    (5, None, "", "nothing of it was sent"),
    (0.1, 0.2, "", "the number differs"),
    ([1, 2], [1, 3], "[1]", "the value differs"),
    ([1, 2], [1], "", "lost or added"),
    ({"a": {"b": 1}}, {"a": {"b": 2}}, "['a']['b']", "the value differs"),
    ({1: "a"}, {"1": "a"}, " (a key)", "only text as keys"),
    ({"a": 1}, {}, " (a key)", "the key was lost"),
    ({}, {"a": 1}, " (a key)", "the key was added"),
    ({True: 1}, {1: 1}, " (a key)", "the key was lost"),
    (Point(1.0, [Point(1.0)]), Point(1.0, [Point(2.0)]), ".y[0].x", "the number differs"),
    (moved(Point(1.0), 7), Point(1.0), ".made", "init=False"),
    (extended(Point(1.0), extra=3), Point(1.0), ".extra", "it isn't a field"),
    (Model(a=[1]), Model(a=[1.0]), ".a[0]", "is read back as a float"),
    (Plain({"k": 1}), Plain({"k": 2}), ".a['k']", "the value differs"),
    (Slotted(1), Slotted(2), ".a", "the value differs"),
    (Judge(False), Judge(False), "", "Judge.__eq__ returned False"),
    (Judge(False), Judge(True), ".verdict", "the value differs"),
    (Judge(ValueError()), Judge(ValueError("no")), ".verdict.args", "lost or added"),
    (Opaque(), Opaque(), "", "can't be compared"),
    (ValueError("x", [1]), ValueError("x", [1.0]), ".args[1][0]", "is read back as a float"),
    (noted(OSError(2, "gone"), "too"), OSError(2, "gone"), ".__notes__", "nothing of it was sent"),
    (np.array([1, 2]), np.array([1.0, 2.0]), ".dtype", "another form"),
    (np.array([[1, 2], [3, 4]]), np.array([[1, 2], [3, 5]]), "[1, 1]", "the values differ"),
    (pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]}), ".columns", "names as text"),
    (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1.0]}), "['a'].dtype", "no such column type"),
    (pd.DataFrame({"a": [0, 1]}), pd.DataFrame({"a": [0, 2]}), "['a'].iloc[1]", "the values differ"),
    (pd.DataFrame({"a": [1]}, index=[5]), pd.DataFrame({"a": [1]}), ".index", "isn't kept"),
    (pl.DataFrame({"a": [1], "b": [1]}), pl.DataFrame({"a": [1], "b": [2]}), "['b'][0]", "the values differ"),
    (pa.table({"a": [1]}), pa.table({"a": [2]}), "['a'][0]", "the values differ"),
    (pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [1.0]}), ".schema", "the columns differ"),
    (pd.Series([1]), pd.Series([2]), ".iloc[0]", "the values differ"),
    (pl.Series([1, 2]), pl.Series([1]), "", "the values differ"),
]


@pytest.mark.parametrize(
    ("before", "after", "path", "reason"), CHANGED, ids=[f"{i}-{r}" for i, (_, _, _, r) in enumerate(CHANGED)]
)
def test_a_difference_is_named_with_its_place_and_reason(before: Any, after: Any, path: str, reason: str) -> None:
    found = first_change(before, after)
    assert found is not None
    assert found.path == path
    assert reason in found.reason


def test_files_are_compared_by_content(tmp_path: Path) -> None:
    for folder, text in (("a", "1"), ("b", "1"), ("c", "2")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "f.txt").write_text(text)
    one, same, other = (FlyteFile(str(tmp_path / name / "f.txt")) for name in "abc")
    assert first_change(one, same) is None
    assert first_change(one, FlyteFile["txt"](str(tmp_path / "b" / "f.txt"))) is None
    found = first_change([one], [other])
    assert found is not None and found.path == "[0]"


def test_directories_are_compared_by_what_is_in_them(tmp_path: Path) -> None:
    for folder, name, text in (("a", "f", "1"), ("b", "f", "2"), ("c", "g", "1")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(text)
    one, changed, renamed = (FlyteDirectory(str(tmp_path / name)) for name in "abc")
    assert first_change(one, FlyteDirectory(str(tmp_path / "a"))) is None
    found = first_change(one, changed)
    assert found is not None and found.path == "/f"
    found = first_change(one, renamed)
    assert found is not None and "f, g" in found.reason


def test_two_classes_of_one_name_are_told_apart() -> None:
    def define() -> type:
        class Audio:
            pass

        return Audio

    found = first_change(define()(), define()())
    assert found is not None and "has been redefined" in found.reason


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.datetimes(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner, inner),
    max_leaves=12,
)


@given(VALUES)
def test_no_value_differs_from_itself_written_anew(value: Any) -> None:
    names = {"datetime": datetime, "nan": math.nan, "inf": math.inf}
    assert first_change(value, eval(repr(value), names)) is None


@given(VALUES, VALUES)
def test_a_difference_is_found_from_both_sides_or_from_none(one: Any, other: Any) -> None:
    assert (first_change(one, other) is None) == (first_change(other, one) is None)
