"""Frames, columns and arrays of every type that their libraries have, and of every size."""

from __future__ import annotations

import datetime
import decimal
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute
import pytest

from flytenb.display.limits import Limits
from flytenb.display.show import show

MOMENT = datetime.datetime(2024, 5, 1, 12)
ODD = [object(), {"a": 1}, [1, 2], None, float("nan"), "x" * 1000]

COLUMNS: dict[str, Any] = {
    "pandas category": lambda: pd.Series(["a", "b", None], dtype="category"),
    "pandas nullable": lambda: pd.Series([1, None], dtype="Int64"),
    "pandas nullable bool": lambda: pd.Series([True, None], dtype="boolean"),
    "pandas string": lambda: pd.Series(["a", None], dtype="string"),
    "pandas arrow": lambda: pd.Series([1.5, None], dtype="double[pyarrow]"),
    "pandas zone": lambda: pd.Series([pd.Timestamp(MOMENT, tz="Europe/Oslo"), None]),
    "pandas duration": lambda: pd.Series([pd.Timedelta("1h"), None]),
    "pandas period": lambda: pd.Series(pd.period_range("2024-01", periods=3, freq="M")),
    "pandas interval": lambda: pd.Series(pd.interval_range(0, 3)),
    "pandas sparse": lambda: pd.Series(pd.arrays.SparseArray([0, 0, 1])),
    "pandas complex": lambda: pd.Series([1 + 2j]),
    "pandas object": lambda: pd.Series(ODD, dtype=object),
    "pandas no values": lambda: pd.Series([], dtype=float),
    "pandas only nulls": lambda: pd.Series([None, None], dtype=float),
    "pandas index": lambda: pd.Index(["a", "b"], name="i"),
    "polars category": lambda: pl.Series(["a", "b", None], dtype=pl.Categorical),
    "polars struct": lambda: pl.Series([{"a": 1}, {"a": 2}]),
    "polars date": lambda: pl.Series([MOMENT.date(), None]),
    "polars duration": lambda: pl.Series([datetime.timedelta(hours=1), None]),
    "polars decimal": lambda: pl.Series([decimal.Decimal("1.50"), None]),
    "polars binary": lambda: pl.Series([b"ab", None]),
    "polars null": lambda: pl.Series([None, None]),
    "polars list": lambda: pl.Series([[1], None]),
    "polars bool": lambda: pl.Series([True, None]),
    "polars object": lambda: pl.Series(ODD[:2], dtype=pl.Object),
    "polars no values": lambda: pl.Series([], dtype=pl.Float64),
    "arrow struct": lambda: pa.array([{"a": 1}, None]),
    "arrow list": lambda: pa.array([[1], None]),
    "arrow map": lambda: pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
    "arrow dictionary": lambda: pa.array(["a", "b"]).dictionary_encode(),
    "arrow null": lambda: pa.array([None, None]),
    "arrow decimal": lambda: pa.array([decimal.Decimal("1.50"), None]),
    "arrow time": lambda: pa.array([MOMENT.time(), None]),
    "arrow moment": lambda: pa.array([MOMENT, None]),
    "arrow duration": lambda: pa.array([datetime.timedelta(hours=1), None]),
    "arrow half": lambda: pa.array([np.float16(1.5), None]),
    "arrow bool": lambda: pa.array([True, None]),
    "arrow no values": lambda: pa.array([], pa.float64()),
}

ARRAYS: dict[str, Any] = {
    "half": lambda: np.linspace(0, 60_000, 1000).astype("float16"),
    "complex": lambda: np.ones(50, dtype=complex),
    "moments": lambda: np.array(["2024-01-01"] * 30, dtype="datetime64[s]"),
    "durations": lambda: np.arange(30).astype("timedelta64[h]"),
    "objects": lambda: np.array([*ODD, 1, 2, 3], dtype=object),
    "void": lambda: np.zeros(30, dtype="V3"),
    "words": lambda: np.array([b"a"] * 30),
    "cube": lambda: np.zeros((3, 4, 5)),
    "one": lambda: np.array(3.5),
    "masked": lambda: np.ma.masked_array(np.arange(30), mask=np.arange(30) % 2),
    "backwards": lambda: np.arange(1000)[::-3],
    "all not finite": lambda: np.full(50, np.nan),
    "empty": lambda: np.zeros((0, 5)),
    "vast": lambda: np.broadcast_to(np.float32(1), (1_000_000, 1_000_000)),
    "extremes": lambda: np.array([1.7e308, -1.7e308] * 20),
    "unsigned": lambda: np.array([2**64 - 1] * 30, dtype="uint64"),
}


def _assert_shown(value: Any) -> str:
    shown = show(value)
    assert "raised" not in shown.text
    assert len(shown.fragment) < Limits().html
    return shown.text


@pytest.mark.parametrize("name", COLUMNS)
def test_every_type_of_column_is_shown(name):
    column = COLUMNS[name]()
    _assert_shown(column)
    library = name.partition(" ")[0]
    if library == "pandas":
        frame: Any = pd.DataFrame({"c": column})
    else:
        frame = pl.DataFrame({"c": column}) if library == "polars" else pa.table({"c": column})
    assert "1 column" in _assert_shown(frame)


@pytest.mark.parametrize("name", ARRAYS)
def test_every_type_of_array_is_shown(name):
    _assert_shown(ARRAYS[name]())


def test_columns_may_have_any_name():
    frame = pd.DataFrame([[1, 2, 3, 4]], columns=["a", "a", None, (1, "x")])
    assert "4 columns" in _assert_shown(frame)
    nested = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")]))
    assert "a · x" in _assert_shown(nested)


def test_each_level_of_an_index_is_a_column() -> None:
    days = pd.to_datetime(["2024-02-29", "2024-03-01"])
    frame = pd.DataFrame({"n": [1, 2]}, index=pd.MultiIndex.from_product([days, ["a"]], names=["day", None]))
    text = _assert_shown(frame)
    assert text.splitlines()[1].split() == ["day", "index", "n"]
    assert text.splitlines()[-1].split() == ["2024-03-01", "a", "2"]
    assert _assert_shown(frame["n"]).splitlines()[-1].split() == ["2024-03-01", "a", "2"]


def test_a_long_frame_says_from_how_many_rows_its_summaries_are():
    frame = pd.DataFrame({"a": range(100)})
    text = show(frame, limits=Limits(scan=10)).text
    assert "0 … 9 in the first 10" in text


def test_what_was_counted_in_fewer_rows_says_its_own_number():
    frame = pd.DataFrame({"a": ["x"] * 30_000, "b": [None, *range(29_999)]})
    text = show(frame, limits=Limits(scan=20_000)).text
    assert "1 distinct in the first 10,000" in text
    assert "0.0 … 19998.0, 1 null in the first 20,000" in text
    assert "in the first 10,000 in the first" not in text


def test_an_array_with_many_axes_is_sampled_and_not_reduced_to_one_element():
    text = show(np.zeros((2,) * 12), limits=Limits(scan=3_000)).text
    assert "(from 2,048 elements, evenly spread)" in text


def test_all_channels_of_an_array_are_in_its_sample():
    channels = np.stack([np.full(100_000, float(i)) for i in range(3)])
    assert "0.0 … 2.0, mean 1.0" in show(channels, limits=Limits(scan=10_000)).text


def test_little_of_a_long_file_is_read_for_its_figures(tmp_path):
    path = tmp_path / "long.dat"
    path.write_bytes(b"")
    os.truncate(path, 800_000_000)
    mapped = np.memmap(path, dtype="f8", mode="r")
    show(mapped, limits=Limits(scan=10_000))
    held = Path("/proc/self/smaps").read_text().partition("long.dat\n")[2].partition("Rss:")[2].split()[0]
    assert int(held) < 100_000


def test_a_large_array_says_from_how_many_elements_its_figures_are():
    text = show(np.zeros((1000, 1000)), limits=Limits(scan=10_000)).text
    assert "(from 10,000 elements, evenly spread)" in text


def test_figures_of_an_array_are_right():
    text = show(np.array([1.0, 2.0, 3.0, np.nan] * 10)).text
    assert "1.0 … 3.0, mean 2.0, std 0.816497, 10 elements not finite" in text


def test_a_lazy_frame_is_not_collected():
    def explode(frame: pl.DataFrame) -> pl.DataFrame:
        raise AssertionError("collected")

    lazy = pl.DataFrame({"a": [1]}).lazy().map_batches(explode)
    assert "not collected" in show({"query": lazy}).text


def test_an_iterator_is_not_consumed():
    numbers = iter(range(3))
    squares = (n * n for n in numbers)
    show([squares, numbers, map(str, numbers)])
    assert list(squares) == [0, 1, 4]


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_cells_without_a_value_differ_from_texts_of_the_same_letters(make):
    shown = show(make({"x": ["None", "nan", None]})).fragment
    assert "<td>None</td>" in shown and "<td>nan</td>" in shown and shown.count("ft-null") == 1


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_days_are_shown_as_days_unless_one_has_a_time(make):
    midnight = datetime.datetime(2024, 5, 1)
    shown = show(make({"day": [midnight, midnight], "moment": [midnight, MOMENT]})).fragment
    assert "<td>2024-05-01</td>" in shown and "<td>2024-05-01 00:00:00</td>" in shown
    assert "<td>2024-05-01 12:00:00</td>" in shown


def test_a_long_cell_is_one_line_with_its_whole_text_as_title():
    shown = show(pd.DataFrame({"text": ["first line\nsecond " + "x" * 30 + '"<b>']})).fragment
    assert 'title="first line\\nsecond' in shown and "&#34;&lt;b&gt;" in shown and "<b>" not in shown
