"""Types whose values may hold files, which is decided from the declared type alone."""

from __future__ import annotations

import os
from collections import OrderedDict
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, TypedDict

import pandas
import pytest
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from flytekit.types.structured import StructuredDataset
from pydantic import BaseModel

from flytenb.bridge.execution.files import may_hold_copies, may_hold_files


@dataclass
class Held:
    inner: list[FlyteFile]


@dataclass
class Unresolved:
    inner: NotImported  # noqa: F821


class Pair(NamedTuple):
    first: int
    second: FlyteDirectory


class Keys(TypedDict):
    file: FlyteFile


class Model(BaseModel):
    path: FlyteFile | None = None


class Numbers(NamedTuple):
    first: int


class Plain:
    value: Unknown  # noqa: F821


HOLDING = [
    *(FlyteFile, FlyteDirectory, FlyteFile["csv"], list[FlyteFile], dict[str, list[FlyteDirectory]], FlyteFile | None),
    *(Annotated[FlyteFile, "note"], os.PathLike, Held, list[Held], Unresolved, Pair, Keys, Model, dict[str, Pair]),
]
FREE = [
    int,
    str,
    list[int],
    dict[str, float],
    Numbers,
    OrderedDict,
    Plain,
    pandas.DataFrame,
    list[pandas.DataFrame],
    Any,
]


@pytest.mark.parametrize("declared", HOLDING, ids=str)
def test_types_with_files(declared: Any) -> None:
    assert may_hold_files(declared)
    assert may_hold_copies(declared)


@pytest.mark.parametrize("declared", FREE, ids=str)
def test_types_without_files(declared: Any) -> None:
    assert not may_hold_files(declared)
    assert not may_hold_copies(declared)


def test_datasets_are_copied_only() -> None:
    assert may_hold_copies(list[StructuredDataset])
    assert not may_hold_files(list[StructuredDataset])
    assert may_hold_copies(None)
