"""Every type against every value it may meet: as flytekit's own round trip, in value, exact types and refusal."""

from __future__ import annotations

import copy
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import make_dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from flytekit import HashMethod, kwtypes
from google.protobuf.struct_pb2 import Struct

from flytenb.bridge.crossing import box_packer, packer, unpacker
from tests import crossing as c
from tests.crossing import by_flytekit, by_us, difference, scramble, verdict


class Row(NamedTuple):
    """A type, values of it, and the method by which the first of them crosses."""

    type: Any
    method: str
    values: list[Callable[[], Any]]


def rows(python_type: Any, method: str, *values: Any) -> Row:
    """A row whose values are copied for each use: a conversion may write on what it converts."""
    return Row(python_type, method, [lambda v=v: copy.deepcopy(v) for v in values])


NAN, INF = float("nan"), float("inf")
BERLIN = timezone(timedelta(hours=2))


def full(cls: Any = c.Everything) -> Any:
    return cls(
        flag=True,
        whole=2**64 - 1,
        real=-0.0,
        text="t\0é😀",
        day=date(1, 1, 1),
        time=datetime(2021, 1, 1, 1, 2, 3, 4, tzinfo=UTC),
        span=timedelta(days=-1, microseconds=7),
        colour=c.Colour.CRIMSON,
        level=c.Level.HIGH,
        rank=c.Rank.SECOND,
        maybe=3,
        maybe_point=c.Point(1.0, NAN, {"a": INF}),
        wholes=[1, -(2**63)],
        maybes=[None, 1.5],
        points=[c.Point(0.0, -0.0), c.Point(1.0, 2.0)],
        by_number={1: "a", -2: "b"},
        by_name={"k": [c.Point(1.0, 1.0)], "": []},
        maybe_list=[[1], []],
    )


def everything(**fields: Any) -> c.Everything:
    return c.Everything(**fields)


TABLE = [
    rows(int, "share", 1, 0, -(2**63), 2**63 - 1, True, 1.0, "1", None, c.Whole(3), np.int64(3), (1,)),
    rows(float, "share", 1.5, -0.0, NAN, INF, 1, True, np.float64(1), "1.5", None),
    rows(bool, "share", True, False, 1, 0, "true", np.bool_(True), None),
    rows(str, "share", "a", "", "\0", "é😀", "x" * 100_000, c.Text("x"), 1, b"a", None, c.Level.LOW),
    rows(NoneType, "share", None, 1),
    rows(date, "share", date(2020, 2, 29), date.min, date.max, datetime(2020, 1, 1), None),
    rows(timedelta, "share", timedelta(microseconds=-1), timedelta.max, timedelta.min, 1, None),
    rows(
        datetime, "literal",
        datetime(2020, 1, 1), datetime(2020, 1, 1, tzinfo=BERLIN), datetime(2020, 1, 1, fold=1), date(2020, 1, 1),
    ),
    rows(c.Colour, "share", c.Colour.RED, c.Colour.CRIMSON, "red", c.Level.LOW, "pink", None, 1),
    rows(c.Level, "share", c.Level.LOW, "low", c.Colour.RED),
    rows(c.Forgetful, "literal", c.Forgetful.SECOND),
    rows(int | None, "share", 1, None, True, 1.0, "a"),
    rows(c.Colour | None, "share", c.Colour.RED, None, "red", "pink"),
    rows(int | float, "share", 1, 1.0, True, "a"),
    rows(bool | int | str | float | None, "share", True, 1, "a", 1.0, None, b"a", c.Colour.RED),
    rows(timedelta | date | None, "share", timedelta(1), date(2020, 1, 1), None, datetime(2020, 1, 1)),
    rows(str | c.Colour, "literal", "red", "pink", c.Colour.RED),
    rows(list[int] | dict[str, int], "literal", [1], {"a": 1}, [], {}, "a"),
    rows(list[int] | None, "copy", [1], [], None, [True], "a"),
    rows(c.Point | None, "copy", c.Point(1.0, 2.0), None, c.Point(1, 2), 3),
    rows(list[int], "copy", [1, 2], [], [True], [None], [1.0], (1,), {1}, [c.Whole(1)], "ab", None, [[1]]),
    rows(list[float], "copy", [1.0, NAN], [1], [1.0, 1]),
    rows(list[str], "copy", ["a", "é"], ["a", c.Text("x")], ["a", 1]),
    rows(list[int | None], "copy", [1, None], [None], [True]),
    rows(list[list[list[str]]], "copy", [[["a"], []], []], [[("a",)]], [["a"]]),
    rows(list[timedelta], "copy", [timedelta(1)]),
    rows(list[NoneType], "copy", [None, None], [1]),
    rows(list[datetime], "literal", [datetime(2020, 1, 1)], [datetime(2020, 1, 1, tzinfo=BERLIN)], []),
    rows(list[list[datetime]], "literal", [[], [datetime(2020, 1, 1, tzinfo=BERLIN)]]),
    rows(dict[str, datetime], "literal", {"a": datetime(2020, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("CET"))}, {}),
    rows(datetime | None, "literal", datetime(2020, 1, 1, tzinfo=BERLIN), None),
    rows(list[datetime | str], "literal", ["a", datetime(2020, 1, 1, tzinfo=BERLIN)]),
    rows(dict[str, int], "copy", {"b": 1, "a": 2}, {}, {1: 1}, {c.Text("a"): 1}, {"a": True}, [("a", 1)]),
    rows(dict[str, list[c.Point]], "copy", {"b": [c.Point(1.0, 2.0)], "a": []}, {"a": [c.Point(1, 2.0)]}),
    rows(dict[int, str], "copy", {2: "a", 1: "b"}, {}, {"1": "a"}, {1: 1}, {True: "a"}, {2**64: "a"}),
    rows(dict[int, list[float | None]], "copy", {1: [1.0, None]}, {1: [1]}),
    rows(dict[int, datetime], "copy", {1: datetime(2020, 1, 1)}, {1: datetime(2020, 1, 1, tzinfo=BERLIN)}),
    rows(dict[int, c.Mixed], "literal", {1: c.Mixed.NUMBER}),
    rows(dict[float, int], "literal", {1.5: 1}),
    rows(dict, "literal", {"a": 1}, {1: [1, 2]}, {}, {"a": (1, 2)}, {"a": b"x"}, {"a": {1}}, {"a": None}),
    rows(c.Point, "copy", c.Point(1.0, NAN, {"a": -0.0}), c.Point(1, 2, {"a": 1}), c.Point(True, "3"),
         c.ChildPoint(1.0, 2.0), c.UndecoratedPoint(1.0, 2.0), {"x": 1.0, "y": 2.0}, None, 3, c.Slotted(1)),
    rows(c.MixinPoint, "copy", c.MixinPoint(1.0, INF, {"a": -INF}), c.MixinPoint(1, 2), c.Point(1.0, 2.0)),
    rows(c.Everything, "copy", full(), everything(), everything(whole=True), everything(whole=-(2**63)),
         everything(real=1), everything(text=c.Text("x")), everything(wholes=(1,)), everything(wholes=None),
         everything(maybe=1.0), everything(by_number={"1": "a"}), everything(by_number={1: None}),
         everything(time=datetime(2020, 1, 1, fold=1)), everything(time=datetime(2020, 1, 1, tzinfo=BERLIN)),
         everything(span=timedelta.max), everything(span=timedelta(days=100_000, microseconds=1)),
         everything(colour="red"), everything(colour="pink"), everything(colour=c.Level.LOW), everything(text="\ud800"),
         everything(rank=2), everything(points=[c.ChildPoint(1.0, 2.0)]), everything(day=datetime(2020, 1, 1)),
         everything(maybe_point=c.MixinPoint(1.0, 2.0)), everything(whole="x")),
    rows(c.MixinEverything, "copy", full(c.MixinEverything), c.MixinEverything(), c.MixinEverything(whole=True),
         c.MixinEverything(real=1), c.MixinEverything(text="\ud800"), c.MixinEverything(by_number={"1": "a"})),
    rows(c.Frozen, "copy", c.Frozen(whole=1, wholes=[2]), c.Frozen(whole=True)),
    rows(c.Slotted, "copy", c.Slotted(1, c.Frozen(whole=2)), c.Slotted(1), c.Slotted(1.0)),
    rows(c.Empty, "copy", c.Empty(), c.Point(1.0, 2.0)),
    rows(list[c.Empty], "copy", [c.Empty(), c.Empty()]),
    rows(c.Described, "copy", c.Described("a")),
    rows(c.ChildPoint, "copy", c.ChildPoint(1.0, 2.0), c.Point(1.0, 2.0)),
    rows(list[c.Point], "copy", [c.Point(1.0, 2.0)] * 2, [], [c.Point(1.0, 2.0), c.Point(1, 2)], [None]),
    rows(c.UndecoratedPoint, "literal", c.UndecoratedPoint(1.0, 2.0)),
    rows(c.Counting, "literal", c.Counting(1)),
    rows(c.OwnInit, "literal", c.OwnInit(1)),
    rows(c.Derived, "literal", c.Derived(1)),
    rows(c.Seeded, "literal", c.Seeded(1)),
    rows(c.Renamed, "literal", c.Renamed(1)),
    rows(c.Serialised, "literal", c.Serialised(1)),
    rows(c.Hooked, "literal", c.Hooked(1)),
    rows(c.Strict, "literal", c.Strict(1)),
    rows(c.Reading, "literal", c.Reading(1)),
    rows(c.Single, "literal", c.Single(1)),
    rows(c.WithDescriptor, "literal", c.WithDescriptor(1)),
    rows(c.Configured, "literal", c.Configured(1)),
    rows(c.Serialising, "literal", c.Serialising(1)),
    rows(c.HoldsSerialising, "literal", c.HoldsSerialising(c.Serialising(1))),
    rows(c.Tree, "literal", c.Tree(1, c.Tree(2))),
    rows(c.Loose, "literal", c.Loose(), c.Loose({"a": (1,)}, (1, 2), {1}, "x")),
    rows(c.SlottedUnit, "literal", c.SlottedUnit(1)),
    rows(Any, "literal", 1, [1], "x", {1}, None, c.Point(1.0, 2.0)),
    rows(object, "literal", 1, (1, 2)),
    rows(bytes, "literal", b"a", "a"),
    rows(complex, "literal", 1j),
    rows(set[int], "literal", {1}),
    rows(Literal["a", "b"], "literal", "a", "c", 1),
    rows(Literal[1, 2], "literal", 1, True),
    rows(Annotated[int, "note"], "literal", 1, True),
    rows(Annotated[list[int], "note"], "literal", [1], [True]),
    rows(Annotated[list[int], HashMethod(str)], "literal", [1]),
    rows(Struct, "literal", Struct()),
    rows(np.ndarray, "array", np.arange(3), np.array(3.0), np.zeros((2, 3), order="F"), np.arange(10)[::2],
         np.arange(6).reshape(2, 3).T, np.arange(24).reshape(2, 3, 4).transpose(1, 0, 2), np.array(["a", "bc"]),
         np.array([b"a"]), np.array([1], dtype=">i4"), np.array(["2020", "NaT"], dtype="M8[D]"),
         np.array([1], dtype="m8[s]"), np.zeros((0, 3)), np.array([1j]), np.array([NAN, -0.0], dtype="f2"),
         np.broadcast_to(np.arange(3), (2, 3)), np.arange(4)[::-1], np.ma.array([1], mask=[True]),
         np.recarray(1, [("a", int)]),
         np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]), np.array([1, "a"], dtype=object), [1, 2], None),
    rows(np.ndarray[Any, np.dtype[np.float64]], "array", np.array([1.0]), np.array([1]), [1.0]),
    rows(np.ndarray | None, "copy", np.arange(3), None),
    rows(list[np.ndarray], "copy", [np.arange(3), np.zeros((2, 2), order="F")], [np.array([1, "a"], dtype=object)]),
    rows(dict[str, np.ndarray], "copy", {"a": np.arange(3)}),
    rows(pd.DataFrame | None, "copy", pd.DataFrame({"a": [1.0]}), None),
    rows(list[pd.DataFrame], "copy", [pd.DataFrame({"a": [1.0]}), pd.DataFrame({"b": ["x"]})]),
    rows(Annotated[pd.DataFrame, kwtypes(a=int)], "literal", pd.DataFrame({"a": [1], "b": [2]})),
]  # fmt: skip

CASES = [
    # No addresses in the ids: every worker must collect the same ones.
    pytest.param(
        *(row.type, make, row.method if i == 0 else None),
        id=re.sub(r"tests\.crossing\.| at 0x\w+", "", f"{row.type}-{i}"),
        # flytekit looks for the end of a type that holds itself until Python's stack is full.
        marks=[pytest.mark.slow] * (row.type is c.Tree),
    )
    for row in TABLE
    for i, make in enumerate(row.values)
]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("python_type", "make", "method"), CASES)
def test_a_value_crosses_as_in_flytekit(python_type: Any, make: Callable[[], Any], method: str | None) -> None:
    expected = by_flytekit(python_type, make())
    assert verdict(expected, by_us(python_type, make(), strict=False)) == ""
    assert verdict(expected, by_us(python_type, make(), strict=True)) == ""
    if method is not None and not isinstance(expected, Exception):
        assert packer(python_type)(make()).method == method
        assert packer(python_type, strict=True)(make()).method == "literal"


def test_the_table_of_the_docs_is_what_arrives() -> None:
    Scale = make_dataclass("Scale", [("rate", float)])
    names = {**globals(), "OrderedDict": OrderedDict, "Scale": Scale}
    page = (Path(__file__).parents[2] / "docs" / "how_values_cross.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(.+?)`.* \| `(.+?)`.* \| (?:`(.+?)`|an error).* \|$", page, flags=re.MULTILINE)
    assert len(rows) == 6
    for sent, declared, arrives in rows:
        python_type, value = eval(declared, names), eval(sent, names)
        for found in (by_flytekit(python_type, value), by_us(python_type, value)):
            assert isinstance(found, Exception) if not arrives else repr(found) == repr(eval(arrives, names)), sent


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("python_type", "make", "method"), CASES)
def test_nobody_shares_what_crossed(python_type: Any, make: Callable[[], Any], method: str | None) -> None:
    expected = by_flytekit(python_type, make())
    if isinstance(expected, Exception):
        return  # what is refused isn't shared
    take = unpacker(python_type, python_type)
    made = make()
    value = packer(python_type)(made)
    given = box_packer(python_type)([make()])
    scramble(made)
    for packed in (value, given):
        for copied in (take(packed), packed.native(), take(packed)):
            assert difference(expected, copied) == ""
            scramble(copied)
    assert difference(expected, unpacker(python_type, python_type, strict=True)(value)) == ""
    assert difference(expected, take(value)) == ""
