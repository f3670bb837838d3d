"""A hunt for a type and a value that cross otherwise than in flytekit, or that two nodes would share."""

from __future__ import annotations

import copy
import dataclasses
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from mashumaro.mixins.json import DataClassJSONMixin

from flytenb.bridge.crossing import box_packer, packer, unpacker
from tests import crossing as c
from tests.crossing import by_flytekit, difference, scramble, verdict
from tests.examples import examples

pytestmark = pytest.mark.slow  # hundreds of examples, each through flytekit as well

SCALARS = [bool, int, float, str, date, timedelta]
ENUMS = [c.Colour, c.Level]

FIELDS: list[Any] = [*SCALARS, datetime, *ENUMS, c.Rank, c.Mixed, c.Point, c.MixinPoint, c.Frozen, c.Slotted, c.Loose]
FIELDS += [list[t] for t in FIELDS] + [dict[str, t] for t in FIELDS] + [dict[int, t] for t in FIELDS]
FIELDS += [t | None for t in FIELDS]


def make_classes(count: int) -> list[type]:
    """Dataclasses with all these fields, some in each way that a dataclass can be made."""
    made = []
    for i in range(count):
        names = [(f"f{j}", t) for j, t in enumerate(FIELDS[i::count][:6])]
        bases = (DataClassJSONMixin,) if i % 3 == 0 else ()
        options = {"frozen": i % 4 == 1, "slots": i % 5 == 2 and not bases, "kw_only": i % 2 == 1}
        namespace = {"__module__": __name__}
        cls = dataclasses.make_dataclass(f"Made{i}", names, bases=bases, namespace=namespace, **options)
        setattr(sys.modules[__name__], cls.__name__, cls)
        made.append(cls)
    return made


MADE = make_classes(24)

LEAVES = st.sampled_from([*SCALARS, datetime, NoneType, *ENUMS, c.Point, c.MixinPoint, c.Frozen, c.Slotted, *MADE])
UNIONS = st.lists(st.sampled_from([*SCALARS, NoneType]), min_size=2, max_size=4, unique=True).map(
    lambda types: eval("|".join(t.__name__ for t in types), {**vars(sys.modules[__name__])})
)
TYPES = st.recursive(
    LEAVES | UNIONS,
    lambda inner: st.one_of(
        inner.map(lambda t: list[t]),  # type: ignore[valid-type]
        inner.map(lambda t: dict[str, t]),  # type: ignore[valid-type]
        inner.map(lambda t: dict[int, t]),  # type: ignore[valid-type]
        inner.map(lambda t: t | None),
    ),
    max_leaves=3,
)

VALUES: dict[Any, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(),
    str: st.text(max_size=5),
    date: st.dates(),
    timedelta: st.timedeltas(timedelta(days=-(10**6)), timedelta(days=10**6)),
    datetime: st.datetimes(timezones=st.sampled_from([None, UTC, timezone(timedelta(hours=2))])),
    NoneType: st.none(),
    c.Loose: st.just(c.Loose()),
    c.Mixed: st.sampled_from([c.Mixed.TEXT, c.Mixed.NUMBER]),
}
STRANGERS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=2), st.just(c.Whole(3)),
    st.just(c.Text("x")), st.text(st.characters(categories=["Cs"]), max_size=1), st.just(timedelta.max),
    st.sampled_from([2**63, 2**64 - 1, 2**64, -(2**63) - 1]), st.just(np.float64(1.0)), st.just([1]),
    st.sampled_from([*c.Colour, *c.Level, *c.Rank]), st.builds(c.Point, st.floats(), st.floats()),
    st.just({"a": 1}), st.just((1,)), st.datetimes(), st.binary(max_size=2), st.just(c.Mixed.PAIR),
)  # fmt: skip


class Builder:
    """Draws a value of a type, with at most one stranger in it: of several wrongs flytekit tells any."""

    def __init__(self, draw: st.DrawFn, stranger_at: int) -> None:
        self.draw = draw
        self.countdown = stranger_at

    def build(self, python_type: Any) -> Any:
        self.countdown -= 1
        if self.countdown == 0:
            return self.draw(STRANGERS)
        origin, args = get_origin(python_type), get_args(python_type)
        if python_type in VALUES:
            return self.draw(VALUES[python_type])
        if origin is list:
            return [self.build(args[0]) for _ in range(self.draw(st.integers(0, 3)))]
        if origin is dict:
            keys = self.draw(st.lists(VALUES[args[0]], max_size=3, unique=True))
            return {key: self.build(args[1]) for key in keys}
        if args:
            return self.build(self.draw(st.sampled_from(args)))
        if dataclasses.is_dataclass(python_type):
            hints = get_type_hints(python_type)
            return python_type(**{f.name: self.build(hints[f.name]) for f in dataclasses.fields(python_type)})
        return self.draw(st.sampled_from(list(python_type)))


@st.composite
def typed_values(draw: st.DrawFn, *, strangers: bool) -> tuple[Any, Any]:
    python_type = draw(TYPES)
    return python_type, Builder(draw, draw(st.integers(1, 8)) if strangers else 0).build(python_type)


def check(python_type: Any, value: Any, expected: Any) -> None:
    """Cross as flytekit crosses, by each way, and share nothing."""
    pack, take = packer(python_type), unpacker(python_type, python_type)
    try:
        packed = pack(value)
        found = take(packed)
    except Exception as e:
        assert verdict(expected, e) == ""
        return
    assert verdict(expected, found) == ""
    scramble(value)
    scramble(found)
    again = packed.native()
    assert verdict(expected, again) == ""
    scramble(again)
    assert verdict(expected, unpacker(python_type, python_type, strict=True)(packed)) == ""
    assert verdict(expected, take(packed)) == ""


@examples(300)
@given(typed_values(strangers=False))
def test_right_values_cross_as_in_flytekit(typed: tuple[Any, Any]) -> None:
    python_type, value = typed
    check(python_type, value, by_flytekit(python_type, copy.deepcopy(value)))


@examples(300)
@given(typed_values(strangers=True))
def test_wrong_values_cross_or_are_refused_as_in_flytekit(typed: tuple[Any, Any]) -> None:
    python_type, value = typed
    check(python_type, value, by_flytekit(python_type, copy.deepcopy(value)))


@examples(100)
@given(st.data())
def test_arrays_cross_as_in_flytekit(data: st.DataObject) -> None:
    dtype = data.draw(hnp.scalar_dtypes() | st.just(np.dtype([("a", "i4"), ("b", "f8")])))
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
    array = data.draw(hnp.arrays(dtype, shape))
    if array.ndim:
        array = array[data.draw(hnp.basic_indices(array.shape, allow_ellipsis=False))]
    array = np.asarray(array).transpose() if data.draw(st.booleans()) else np.asarray(array)
    given_away = box_packer(np.ndarray)([array.copy("K")])
    assert difference(by_flytekit(np.ndarray, array.copy("K")), given_away.native()) == ""
    check(np.ndarray, array, by_flytekit(np.ndarray, array))


COLUMNS = st.one_of(
    st.lists(st.floats(), min_size=2, max_size=2).map(lambda v: pd.Series(v, dtype="float64")),
    st.lists(st.integers(-128, 127), min_size=2, max_size=2).map(lambda v: pd.Series(v, dtype="int8")),
    st.lists(st.booleans(), min_size=2, max_size=2).map(lambda v: pd.Series(v, dtype="bool")),
    st.lists(st.none() | st.text(max_size=3), min_size=2, max_size=2).map(lambda v: pd.Series(v, dtype="str")),
    st.lists(st.datetimes(), min_size=2, max_size=2).map(lambda v: pd.Series(v, dtype="datetime64[us]")),
    st.lists(st.none() | st.integers(0, 9), min_size=2, max_size=2).map(lambda v: pd.Series(v, dtype="Int64")),
    st.lists(st.sampled_from("ab"), min_size=2, max_size=2).map(lambda v: pd.Series(v, dtype="category")),
)
INDICES = st.one_of(
    st.just(None),
    st.integers(-3, 3).map(lambda start: pd.RangeIndex(start, start + 2)),
    st.lists(st.integers(), min_size=2, max_size=2).map(lambda v: pd.Index([x % 1000 for x in v])),
    st.lists(st.text(max_size=2), min_size=2, max_size=2).map(lambda v: pd.Index(v, dtype="str")),
    st.just(pd.Index([1.5, 2.5])),
)


@examples(60)
@given(
    columns=st.dictionaries(st.text(max_size=3) | st.integers(0, 3), COLUMNS, max_size=3),
    index=INDICES,
    name=st.none() | st.text(max_size=2) | st.integers(0, 3),
)
def test_frames_cross_as_in_flytekit(columns: dict[Any, pd.Series[Any]], index: Any, name: Any) -> None:
    frame = pd.DataFrame(columns)
    if index is not None and columns:
        frame.index = index
    frame.index.name = name
    check(pd.DataFrame, frame, by_flytekit(pd.DataFrame, frame))
