"""Which types a cluster takes for which: every pair of many types, as the cluster's own compiler decided it.

`data/castable.json` holds the verdicts of `AreTypesCastable` of flytepropeller 1.16, compiled and run on the literal
types that flytekit makes of these types: by the expected type, the types that are accepted for it, and those at which
the cluster's compiler itself fails.
"""

from __future__ import annotations

import datetime
import json
import typing
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import pytest
from flyteidl.core.types_pb2 import LiteralType, SimpleType, UnionType
from flytekit import StructuredDataset, kwtypes
from flytekit.core.type_engine import TypeEngine
from flytekit.types.directory import FlyteDirectory
from flytekit.types.error import FlyteError
from flytekit.types.file import FlyteFile
from flytekit.types.schema import FlyteSchema
from google.protobuf.json_format import ParseDict
from pydantic import BaseModel, Field

from flytenb.bridge.workflow.castable import are_castable


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Wider(Enum):
    RED = "red"
    BLUE = "blue"
    GREEN = "green"


@dataclass
class Inner:
    x: float
    y: str | None = None


@dataclass
class Outer:
    a: int
    b: list[Inner]
    c: dict[str, int]
    d: Inner | None = None
    e: int | str | None = None


def record(name: str, **annotations: Any) -> type:
    """A dataclass; what has a default is given as a pair."""
    space: dict[str, Any] = {"__annotations__": {}}
    for key, value in annotations.items():
        space["__annotations__"][key] = value[0] if isinstance(value, tuple) else value
        if isinstance(value, tuple):
            space[key] = field(default_factory=value[1])
    return dataclass(type(name, (), space))


def model(name: str, config: Any = None, **annotations: Any) -> type:
    """A pydantic model; what has a default is given as a pair."""
    space: dict[str, Any] = {"__annotations__": {}, "__module__": __name__}
    if config:
        space["model_config"] = config
    for key, value in annotations.items():
        space["__annotations__"][key] = value[0] if isinstance(value, tuple) else value
        if isinstance(value, tuple):
            space[key] = value[1]
    return type(name, (BaseModel,), space)


Small = model("Small", a=int)
Larger = model("Larger", a=int, b=(float | None, None))

CLASSES: dict[str, Any] = {
    "Color": Color,
    "Wider": Wider,
    "Inner": Inner,
    "Outer": Outer,
    "Small": Small,
    "Larger": Larger,
    "dc(int)": record("R", a=int),
    "dc(int, str)": record("R", a=int, b=str),
    "dc(int, str=)": record("R", a=int, b=(str, str)),
    "dc(float)": record("R", a=float),
    "dc(int | None=)": record("R", a=(int | None, lambda: None)),
    "dc(list[int])": record("R", a=list[int]),
    "dc(list[str])": record("R", a=list[str]),
    "dc(tuple)": record("R", a=tuple[int, str]),
    "dc(Color)": record("R", a=Color),
    "dc(Wider)": record("R", a=Wider),
    "dc(datetime)": record("R", a=datetime.datetime),
    "dc(dict int)": record("R", a=dict[str, int]),
    "dc(dict str)": record("R", a=dict[str, str]),
    "dc(Inner)": record("R", a=Inner),
    "dc()": record("R"),
    "model(ge)": model("M", a=Annotated[int, Field(ge=1)]),
    "model(1..5)": model("M", a=Annotated[float, Field(ge=1, le=5)]),
    "model(2..4)": model("M", a=Annotated[float, Field(ge=2, le=4)]),
    "model(gt)": model("M", a=Annotated[float, Field(gt=1)]),
    "model(text 1..5)": model("M", a=Annotated[str, Field(min_length=1, max_length=5)]),
    "model(text 2, pattern)": model("M", a=Annotated[str, Field(min_length=2, pattern="x")]),
    "model(str)": model("M", a=str),
    "model(Small)": model("M", p=Small),
    "model(list[Small], a or b)": model("M", p=list[Small], q=(Literal["a", "b"], "a")),
    "model(list[Larger], a)": model("M", p=list[Larger], q=(Literal["a"], "a")),
    "model(steps of 4)": model("M", a=Annotated[float, Field(multiple_of=4)]),
    "model(steps of 2)": model("M", a=Annotated[float, Field(multiple_of=2)]),
    "model(1..3 ints)": model("M", a=Annotated[list[int], Field(min_length=1, max_length=3)]),
    "model(2.. ints)": model("M", a=Annotated[list[int], Field(min_length=2)]),
    "model(set)": model("M", a=set[int]),
    "model(tuple)": model("M", a=tuple[int, str]),
    "model(Color)": model("M", a=Color),
    "model(Small | Larger)": model("M", a=Small | Larger),
    "model(Larger | Small | None)": model("M", a=(Larger | Small | None, None)),
    "model(Any)": model("M", a=(Any, None)),
    "model(no extras)": model("M", config={"extra": "forbid"}, a=int),
}
TYPES: dict[str, Any] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "datetime.datetime": datetime.datetime,
    "datetime.timedelta": datetime.timedelta,
    "datetime.date": datetime.date,
    "bytes": bytes,
    "type(None)": type(None),
    "Any": Any,
    "dict": dict,
    "complex": complex,
    "list[int]": list[int],
    "list[str]": list[str],
    "list[list[int]]": list[list[int]],
    "list[Any]": list[Any],
    "dict[str, int]": dict[str, int],
    "dict[str, str]": dict[str, str],
    "dict[str, list[int]]": dict[str, list[int]],
    "dict[int, str]": dict[int, str],
    "int | None": int | None,
    "str | None": str | None,
    "int | str": int | str,
    "str | int": str | int,
    "int | str | None": int | str | None,
    "int | float": int | float,
    "list[int] | list[str]": list[int] | list[str],
    "list[int] | None": list[int] | None,
    "list[int | None]": list[int | None],
    "dict[str, int | None]": dict[str, int | None],
    "FlyteFile | FlyteDirectory": FlyteFile | FlyteDirectory,
    "FlyteFile | None": FlyteFile | None,
    "FlyteFile['csv'] | str": FlyteFile["csv"] | str,
    "Outer | Inner | None": Outer | Inner | None,
    "Outer | None": Outer | None,
    "Literal['red', 'blue']": Literal["red", "blue"],
    "Color | None": Color | None,
    "list[Color]": list[Color],
    "Color | str": Color | str,
    "FlyteFile": FlyteFile,
    "FlyteFile['csv']": FlyteFile["csv"],
    "FlyteFile['txt']": FlyteFile["txt"],
    "FlyteDirectory": FlyteDirectory,
    "FlyteDirectory['csv']": FlyteDirectory["csv"],
    "FlyteFile['PythonPickle']": FlyteFile["PythonPickle"],
    "pd.DataFrame": pd.DataFrame,
    "StructuredDataset": StructuredDataset,
    "Annotated[StructuredDataset, 'parquet']": Annotated[StructuredDataset, "parquet"],
    "Annotated[StructuredDataset, 'csv']": Annotated[StructuredDataset, "csv"],
    "Annotated[StructuredDataset, kwtypes(a=int, b=str)]": Annotated[StructuredDataset, kwtypes(a=int, b=str)],
    "Annotated[StructuredDataset, kwtypes(a=int)]": Annotated[StructuredDataset, kwtypes(a=int)],
    "Annotated[StructuredDataset, kwtypes(a=str)]": Annotated[StructuredDataset, kwtypes(a=str)],
    "Annotated[pd.DataFrame, kwtypes(a=int, c=list[int])]": Annotated[pd.DataFrame, kwtypes(a=int, c=list[int])],
    "Annotated[StructuredDataset, kwtypes(a=int), 'csv']": Annotated[StructuredDataset, kwtypes(a=int), "csv"],
    "pd.DataFrame | None": pd.DataFrame | None,
    "list[pd.DataFrame]": list[pd.DataFrame],
    "FlyteSchema": FlyteSchema,
    "FlyteSchema[kwtypes(a=int)]": FlyteSchema[kwtypes(a=int)],
    "FlyteSchema[kwtypes(a=int, b=str)]": FlyteSchema[kwtypes(a=int, b=str)],
    "FlyteSchema[kwtypes(a=str)]": FlyteSchema[kwtypes(a=str)],
    "FlyteSchema[kwtypes(a=datetime.datetime)]": FlyteSchema[kwtypes(a=datetime.datetime)],
    "np.ndarray": np.ndarray,
    "FlyteError": FlyteError,
    "list[Outer]": list[Outer],
    "dict[str, Outer]": dict[str, Outer],
    "Annotated[int, 'a note']": Annotated[int, "a note"],
    "typing.Iterator[int]": typing.Iterator[int],
}


@cache
def literal_types() -> dict[str, LiteralType]:
    """Each type by its name, as flyteidl's message."""
    found = {name: TypeEngine.to_literal_type(t).to_flyte_idl() for name, t in (TYPES | CLASSES).items()}
    one_int = LiteralType(union_type=UnionType(variants=[found["int"]]))
    found["union of int alone"] = one_int
    found["union of a union"] = LiteralType(union_type=UnionType(variants=[found["int | str"]]))
    found["union of list[int] alone"] = LiteralType(union_type=UnionType(variants=[found["list[int]"]]))
    found["list of a union of int alone"] = LiteralType(collection_type=one_int)
    found["empty list"] = LiteralType(collection_type=LiteralType(simple=SimpleType.NONE))
    found["empty dict"] = LiteralType(map_value_type=LiteralType(simple=SimpleType.NONE))
    found["no type"] = LiteralType()
    for name, draft in (("known draft", "http://json-schema.org/draft-07/schema#"), ("other draft", "https://x/2020")):
        found[name] = LiteralType(simple=SimpleType.STRUCT)
        schema = {"$schema": draft, "type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
        ParseDict(schema, found[name].metadata)
    return found


VERDICTS: dict[str, dict[str, list[str]]] = json.loads((Path(__file__).parents[1] / "data/castable.json").read_text())


def test_the_table_has_every_type_and_verdicts_of_both_kinds() -> None:
    assert set(VERDICTS) == set(literal_types())
    accepted = sum(len(v["accepts"]) for v in VERDICTS.values())
    assert accepted > 5 * len(VERDICTS)
    assert accepted < len(VERDICTS) ** 2 / 5


@pytest.mark.sampled(3)
@pytest.mark.parametrize("expected", VERDICTS)
def test_a_type_takes_what_the_cluster_takes_for_it(expected: str) -> None:
    undecided, found = set(VERDICTS[expected].get("fails", ())), literal_types()
    taken = [given for given in found if given not in undecided and are_castable(found[given], found[expected])]
    assert sorted(taken) == VERDICTS[expected]["accepts"]


def test_a_schema_without_end_is_not_refused() -> None:
    endless = {"type": "object", "properties": {"next": {"$ref": "#"}}}
    one, other = LiteralType(simple=SimpleType.STRUCT), LiteralType(simple=SimpleType.STRUCT)
    ParseDict(endless, one.metadata)
    ParseDict({**endless, "title": "another"}, other.metadata)
    assert are_castable(one, other)
