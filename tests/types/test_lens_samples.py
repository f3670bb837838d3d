"""Samples made from a type alone, and where else a type can be used."""

from __future__ import annotations

import datetime
import enum
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NewType, Optional

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from flytekit.core.type_engine import TypeEngine
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from flytekit.types.structured import StructuredDataset
from google.protobuf.struct_pb2 import Struct
from pydantic import BaseModel

from flytenb.bridge.execution.container_contract import LARGEST_OUTPUT, as_container_input, as_container_output
from flytenb.types.container_support import pickled_places
from flytenb.types.samples import NoSampleError, sample_of


class Color(enum.Enum):
    RED = "red"


@dataclass
class Point:
    x: float
    color: Color = Color.RED


@dataclass
class Chain:
    value: int
    next: Optional["Chain"] = None  # noqa: UP037, UP045


@dataclass
class Picky:
    x: int

    def __post_init__(self) -> None:
        raise ValueError("never right")


class Model(BaseModel):
    points: list[int]


class Unknown:
    pass


@pytest.mark.parametrize(
    ("python_type", "kind"),
    [
        (int, int),
        (bytes, bytes),
        (datetime.datetime, datetime.datetime),
        (Color, Color),
        (Literal["a", "b"], str),
        (list[Point], list),
        (dict[int, Point], dict),
        (tuple[int, str], tuple),
        (set[int], set),
        (Optional[Point], Point),  # noqa: UP045
        (Unknown | int, int),
        (Point, Point),
        (Chain, Chain),
        (Model, Model),
        (Annotated[Point, "a note"], Point),
        (NewType("Name", str), str),
        (FlyteFile["csv"], FlyteFile),
        (FlyteDirectory, FlyteDirectory),
        (StructuredDataset, StructuredDataset),
        (pd.DataFrame, pd.DataFrame),
        (pl.DataFrame, pl.DataFrame),
        (pa.Table, pa.Table),
        (np.ndarray, np.ndarray),
        (Struct, Struct),
    ],
    ids=str,
)
def test_a_sample_is_a_value_of_its_type(python_type: Any, kind: type, tmp_path: Path) -> None:
    assert isinstance(sample_of(python_type, tmp_path), kind)


def test_a_sample_s_files_are_there(tmp_path: Path) -> None:
    file, folder = sample_of(tuple[FlyteFile, FlyteDirectory], tmp_path)
    assert Path(file.path).is_file()
    assert Path(folder.path).is_dir()
    assert {tmp_path} <= set(Path(file.path).parents) & {tmp_path, *Path(folder.path).parents}


@pytest.mark.parametrize(
    ("python_type", "why"),
    [
        (Unknown, "no sample can be made of Unknown"),
        (list[Unknown], "no sample can be made of Unknown"),
        (Picky, "never right"),
        (typing.Callable[[int], int], "no sample can be made of Callable"),
        (object, "no sample can be made of object"),
    ],
    ids=str,
)
def test_a_type_that_does_not_say_enough_is_told(python_type: Any, why: str, tmp_path: Path) -> None:
    with pytest.raises(NoSampleError) as raised:
        sample_of(python_type, tmp_path)
    assert why in raised.value.message
    assert raised.value.hint


@pytest.mark.parametrize(
    ("python_type", "takes", "gives"),
    [
        (int, "a text file", "a text file"),
        (str, "as it is", "as it is"),
        (bool, "true or false", "true or false"),
        (datetime.timedelta, "1h2m3.5s", "1h2m3.5s"),
        (Color, "its value", ""),
        (list[int], "0, 1, 2", ""),
        (dict[str, list[float]], "an entry per key, each a directory", ""),
        (FlyteFile, "the file itself", "the file itself"),
        (FlyteDirectory, "a directory", "a flat directory"),
        (Point, "MessagePack", "a JSON file"),
        (dict, "MessagePack", "a JSON file"),
        (Struct, "a JSON file", "a JSON file"),
        (int | None, "as its value", ""),
        (list[Point], "each a file of MessagePack", ""),
        (pd.DataFrame, "", ""),
        (Unknown, "a pickle", "a pickle"),
    ],
    ids=str,
)
def test_what_a_raw_container_takes_and_gives_is_what_co_pilot_does(python_type: Any, takes: str, gives: str) -> None:
    literal_type = TypeEngine.to_literal_type(python_type)
    for support, expected in ((as_container_input(literal_type), takes), (as_container_output(literal_type), gives)):
        assert support.is_supported == bool(expected), support.how
        assert expected in support.how


def test_the_limit_of_an_output_is_told() -> None:
    assert f"{LARGEST_OUTPUT:,}" in as_container_output(TypeEngine.to_literal_type(str)).how


@pytest.mark.parametrize(
    ("python_type", "places"),
    [
        (int, []),
        (Unknown, [""]),
        (list[Unknown], ["[…]"]),
        (dict[str, list[Unknown]], ["['…'][…]"]),
        (Unknown | None, [""]),
        (Point, []),
    ],
    ids=str,
)
def test_pickle_is_found_wherever_it_hides(python_type: Any, places: list[str]) -> None:
    assert pickled_places(TypeEngine.to_literal_type(python_type)) == places
