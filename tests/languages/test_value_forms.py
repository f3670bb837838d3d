"""Forms of values in other languages: shapes, ports, conversions there and back."""

from __future__ import annotations

import datetime as dt
import enum
import os
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Optional

import pandas as pd
import pytest
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from flytekit.types.structured import StructuredDataset
from pydantic import BaseModel

from flytenb.errors import DefinitionError
from flytenb.languages import lines
from flytenb.languages.language import CellPort
from flytenb.languages.value_forms import form_of


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Point:
    x: float
    y: float = 0.5


@dataclass
class Shape:
    name: str
    corners: list[Point]
    color: Color
    tags: dict[str, int] = field(default_factory=dict)
    parent: Optional[Point] = None  # noqa: UP045 - as users write it
    made: dt.datetime | None = None


class Model(BaseModel):
    name: str
    point: Point | None = None


DIRECT, ENCODED = False, True


@pytest.mark.parametrize(
    ("python_type", "shape", "input_is", "output_is"),
    [
        (bool, "b", DIRECT, DIRECT),
        (int, "i", DIRECT, DIRECT),
        (float, "d", DIRECT, DIRECT),
        (str, "s", DIRECT, ENCODED),
        (dt.datetime, "T", DIRECT, DIRECT),
        (dt.timedelta, "D", DIRECT, DIRECT),
        (dt.date, "a", DIRECT, ENCODED),
        (None, "n", ENCODED, ENCODED),
        (Color, "s", DIRECT, ENCODED),
        (Literal["a", "b"], "s", DIRECT, ENCODED),
        (Literal[1, 2], "i", DIRECT, DIRECT),
        (FlyteFile, "f", DIRECT, DIRECT),
        (FlyteFile["csv"], "f", DIRECT, DIRECT),
        (FlyteDirectory, "F", DIRECT, DIRECT),
        (os.PathLike, "f", DIRECT, DIRECT),
        (list[float], "l d", DIRECT, ENCODED),
        (list[list[str]], "l l s", DIRECT, ENCODED),
        (list[FlyteFile], "l f", DIRECT, ENCODED),
        (dict[str, FlyteFile], "m f", ENCODED, ENCODED),
        (dict[str, int], "m i", ENCODED, ENCODED),
        (dict, "j", ENCODED, ENCODED),
        (int | None, "o i", ENCODED, ENCODED),
        (list[int | None], "l o i", ENCODED, ENCODED),
        (int | str, "j", ENCODED, ENCODED),
        (Point, "r 2 x d y d", ENCODED, ENCODED),
        (list[Point], "l r 2 x d y d", ENCODED, ENCODED),
        (Model, "r 2 name s point o r 2 x d y d", ENCODED, ENCODED),
        (pd.DataFrame, "t", ENCODED, ENCODED),
        (Annotated[pd.DataFrame, "rows"], "t", ENCODED, ENCODED),
        (StructuredDataset, "t", ENCODED, ENCODED),
    ],
)
def test_a_type_has_a_shape_and_is_encoded_where_a_raw_container_can_t_carry_it(
    python_type: Any, shape: str, input_is: bool, output_is: bool
) -> None:
    form = form_of(python_type)
    assert form.input == CellPort(shape, input_is)
    assert form.output == CellPort(shape, output_is)


@pytest.mark.parametrize(
    ("python_type", "says"),
    [
        (object, "object has no form"),
        (list, "with the type of its items"),
        (dict[int, str], "text as keys"),
        (int | Point, "expected a union of simple types"),
        (FlyteFile | None, "has no form"),
        (set[int], "has no form"),
        (Literal[1, "a"], "choices of one simple type"),
    ],
)
def test_a_type_without_a_form_is_refused(python_type: Any, says: str) -> None:
    with pytest.raises(DefinitionError, match=says):
        form_of(python_type)


MADE = dt.datetime(2030, 1, 31, 12, 0, 0, 123456, dt.UTC)


@pytest.mark.parametrize(
    ("python_type", "value"),
    [
        (Color, Color.BLUE),
        (dict[str, Color], {"a/b": Color.RED}),
        (Point, Point(1.0, -0.0)),
        (Shape, Shape("é\n", [Point(1, 2)], Color.RED, {"": 3}, Point(0, 0), MADE)),
        (Shape, Shape("", [], Color.BLUE)),
        (Model, Model(name="m", point=Point(1, 2))),
        (list[Model], [Model(name="m")]),
        (list[int] | None, None),
        (int | str, "3"),
        (int | str, 3),
        (dict, {"a": [1, 2.5, None, {"b": True}]}),
        (dict[str, dict[str, list[float]]], {"a": {"b": [0.1, float("inf")]}}),
    ],
)
def test_a_value_comes_back_equal_from_its_lines(python_type: Any, value: Any) -> None:
    form = form_of(python_type)
    back = form.from_plain(lines.loads(lines.dumps(form.to_plain(value), form.shape)))
    assert back == value
    assert type(back) is type(value)


def test_a_whole_number_given_for_a_float_is_a_float() -> None:
    form = form_of(list[float])
    assert repr(form.to_plain([1, True])) == "[1.0, 1.0]"
