"""Frames that a Parquet file keeps are copied; all others take the file, and come back as it gives them."""

from __future__ import annotations

import pickle
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from flytekit import StructuredDataset
from flytekit.core.type_engine import TypeEngine
from flytekit.types.structured.basic_dfs import PandasToCSVEncodingHandler
from flytekit.types.structured.structured_dataset import PARQUET, StructuredDatasetTransformerEngine

from flytenb.bridge.crossing import packer, unpacker
from tests.crossing import by_flytekit, by_us, difference, scramble, verdict

PACK = packer(pd.DataFrame)
TAKE = unpacker(pd.DataFrame, pd.DataFrame)


def with_column(values: Any, dtype: Any = None) -> pd.DataFrame:
    return pd.DataFrame({"x": pd.Series(values, dtype=dtype)})


def with_index(index: Any) -> pd.DataFrame:
    return pd.DataFrame({"x": [1.0, 2.0, 3.0]}, index=index)


def with_labels(labels: Any) -> pd.DataFrame:
    frame = pd.DataFrame(np.ones((2, len(labels))))
    frame.columns = labels
    return frame


def with_attrs(attrs: dict[str, Any]) -> pd.DataFrame:
    frame = with_column([1.0])
    frame.attrs = attrs
    return frame


def many() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "a": [1, 2],
            "b": [1.0, np.nan],
            "c": ["x", None],
            "d": [True, False],
            "e": pd.to_datetime(["2020", None]).astype("datetime64[us]"),
        },
        index=pd.RangeIndex(5, 15, 5, name="row"),
    )


class Subclass(pd.DataFrame):
    pass


KEPT = {
    "many": many(),
    **{d: with_column([1, 0, 1], d) for d in ("bool", "int8", "uint64", "int64", "float32", "float64")},
    "times": with_column(pd.to_datetime(["2020", None]), "datetime64[us]"),
    "specials": with_column([-0.0, np.nan, np.inf]),
    "texts": with_column(["a", None, np.nan, "é\0"]),
    "no rows": with_column([], "float64"),
    "range backwards": with_index(pd.RangeIndex(3, 0, -1)),
    "integers as index": with_index([3, 1, 1]),
    "texts as index": with_index(["a", None, "c"]),
    "named index": with_index(pd.Index([3, 1, 2], name="x")),
    "odd labels": with_labels(["", "a.b", "é\n"]),
    "named labels": with_labels(pd.Index(["a", "b"], name="n")),
}

CHANGED = {
    **{d: with_column([1, 0, 1], d) for d in ("float16", "Int64", "boolean", "category", "object", "complex64")},
    "big-endian": pd.DataFrame({"x": np.array([1, 2], dtype=">i4")}),
    "seconds": with_column(pd.to_datetime(["2020"]), "datetime64[s]"),
    "nanoseconds": with_column(pd.to_datetime([1], unit="ns"), "datetime64[ns]"),
    "zoned": with_column(pd.to_datetime(["2020"]).tz_localize("Europe/Berlin")),
    "durations": with_column(pd.to_timedelta([1], unit="s")),
    "python texts": with_column(["a"], pd.StringDtype("python", na_value=np.nan)),
    "texts with NA": with_column(["a", None], pd.StringDtype("pyarrow")),
    "objects": with_column([1, "a"], object),
    "lists": with_column([[1], [2]], object),
    "dates": with_column([date(2020, 1, 1)], object),
    "periods": with_column(pd.period_range("2020", "2021", freq="Y")),
    "arrow": with_column([1, 2], "int64[pyarrow]"),
    "sparse": with_column(pd.arrays.SparseArray([0, 0, 1])),
    "nothing": pd.DataFrame(),
    "rows only": pd.DataFrame(index=[1, 2]),
    "floats as index": with_index([1.0, 2.0, 3.0]),
    "dates as index": with_index(pd.date_range("2020", periods=3)),
    "two indices": with_index(pd.MultiIndex.from_tuples([(1, "a"), (1, "b"), (2, "a")])),
    "objects as index": with_index(pd.Index(["a", "b", "c"], dtype=object)),
    "number names index": with_index(pd.Index([1, 2, 3], name=5)),
    "reserved name": with_index(pd.Index([1, 2, 3], name="__index_level_0__")),
    "numbers as labels": with_labels([0, 1]),
    "range as labels": pd.DataFrame(np.ones((2, 2))),
    "objects as labels": with_labels(pd.Index(["a", "b"], dtype=object)),
    "mixed labels": with_labels(["a", 1]),
    "python labels": with_labels(pd.Index(["a", "b"], dtype=pd.StringDtype("python", na_value=np.nan))),
    "twice the same label": with_labels(["a", "a"]),
    "labels on two levels": with_labels(pd.MultiIndex.from_tuples([("a", "b"), ("c", "d")])),
    "missing label": with_labels(["a", None]),
    "reserved label": with_labels(["__index_level_0__", "b"]),
    "attrs": with_attrs({"a": (1,)}),
    "flags": with_column([1.0]).set_flags(allows_duplicate_labels=False),
    "subclass": Subclass({"x": [1.0]}),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("frame", [pytest.param(f, id=n) for n, f in (KEPT | CHANGED).items()])
def test_a_frame_crosses_as_in_flytekit(frame: pd.DataFrame) -> None:
    expected = by_flytekit(pd.DataFrame, frame.copy())
    assert verdict(expected, by_us(pd.DataFrame, frame)) == ""


@pytest.mark.parametrize("frame", [pytest.param(f, id=n) for n, f in KEPT.items()])
def test_what_a_file_keeps_is_copied_and_shared_with_nobody(frame: pd.DataFrame) -> None:
    made = pickle.loads(pickle.dumps(frame))  # pandas' own deep copy shares the index
    value = PACK(made)
    assert value.method == "frame"
    scramble(made)
    first, second = TAKE(value), TAKE(value)
    assert difference(frame, first) == ""
    scramble(first)
    assert difference(frame, second) == ""
    scramble(second)
    assert difference(frame, value.native()) == ""


def test_an_attribute_of_ones_own_is_lost_as_in_a_file() -> None:
    frame = with_column([1.0])
    object.__setattr__(frame, "note", "mine")
    assert not hasattr(TAKE(PACK(frame)), "note")


def test_memory_that_a_frame_shares_with_an_array_is_not_passed_on() -> None:
    memory = np.zeros((3, 2))
    value = PACK(pd.DataFrame(memory, columns=["a", "b"], copy=False))
    memory[:] = 7
    assert TAKE(value)["a"].tolist() == [0, 0, 0]


def test_a_handler_that_a_user_registers_is_obeyed() -> None:
    class Doubling(PandasToCSVEncodingHandler):
        """Any handler but flytekit's own means that the file decides."""

        def __init__(self) -> None:
            super().__init__()
            self._supported_format = PARQUET

        def encode(self, ctx: Any, structured_dataset: StructuredDataset, structured_dataset_type: Any) -> Any:
            doubled = StructuredDataset(dataframe=structured_dataset.dataframe * 2)
            return stock.encode(ctx, doubled, structured_dataset_type)

    TypeEngine.lazy_import_transformers()
    handlers = StructuredDatasetTransformerEngine.ENCODERS[pd.DataFrame]["fsspec"]
    stock = handlers[PARQUET]
    handlers[PARQUET] = Doubling()
    try:
        value = PACK(with_column([1.0]))
        assert (value.method, TAKE(value)["x"].tolist()) == ("literal", [2.0])
    finally:
        handlers[PARQUET] = stock
    assert PACK(with_column([1.0])).method == "frame"
