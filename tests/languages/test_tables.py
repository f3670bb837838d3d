"""Data frames cross as tables: missing values, categories, dates and the types of columns are kept, or refused."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from flytenb.languages import tables
from flytenb.languages.language import CellPort
from flytenb.languages.language_registry import find_language
from flytenb.languages.lines import dumps, loads
from tests.languages.cells import Sent, run_cell
from tests.languages.test_round_trips import ASSIGNMENTS, LANGUAGES, PORTABLE
from tests.languages.values import NASTY

EXACT = {
    "whole numbers": [1, -(2**31) + 1, 3],
    "a b": [0.1, -0.0, float("inf")],
    "text": [NASTY, "", "NA"],
    "truth": [True, False, True],
    "é": pd.to_datetime(["2024-02-29T01:02:03.25", "1970-01-01", "1969-12-31T23:59:59.999"], format="ISO8601"),
}
"""Columns that all languages keep."""
KEPT_IN_PYTHON_AND_R = EXACT | {
    "numbers": [0.1, np.nan, float("inf")],
    "some text": ["x", None, NASTY],
    "some whole": pd.array([1, None, 2**31 - 1], dtype="Int64"),
    "some truth": pd.array([True, None, False], dtype="boolean"),
    "level": pd.Categorical(["low", None, "high"], categories=["high", "low", "unused\n"], ordered=True),
    "kind": pd.Categorical(["a", "b", "a"]),
    "zoned": pd.to_datetime(["2024-03-31T01:30:00Z", None, "2024-10-27T00:30:00Z"]).tz_convert("Europe/Berlin"),
    "span": pd.to_timedelta(["1s", None, "-1ms"]),
    "day": [datetime.date(2024, 2, 29), None, datetime.date(1, 1, 1)],
}
FRAMES = {
    "python": KEPT_IN_PYTHON_AND_R,
    "r": KEPT_IN_PYTHON_AND_R,
    "node": EXACT,
    "julia": EXACT | {k: KEPT_IN_PYTHON_AND_R[k] for k in ("some text", "some whole", "some truth", "day")},
}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_frame_comes_back_as_it_was(language: str, tmp_path: Path) -> None:
    frame = pd.DataFrame(FRAMES[language])
    empty = frame.iloc[:0].reset_index(drop=True)
    sent = {"whole": Sent("t", frame, True), "empty": Sent("t", empty, True), "none": Sent("t", pd.DataFrame(), True)}
    outputs = {f"{name}_back": CellPort("t", True) for name in sent}
    code = "\n".join(ASSIGNMENTS[language].format(f"{name}_back", name) for name in sent)
    ended = run_cell(find_language(language), code, tmp_path, sent, outputs, environment=PORTABLE)
    assert ended.error is None and not ended.stderr, ended
    pd.testing.assert_frame_equal(ended.outputs["whole_back"], frame, check_exact=True)
    assert list(ended.outputs["empty_back"]) == list(empty) and len(ended.outputs["empty_back"]) == 0
    assert ended.outputs["none_back"].shape == (0, 0)


def test_the_row_names_that_r_gives_the_values_of_a_model_are_dropped(tmp_path: Path) -> None:
    code = "model <- lm(y ~ x, data = frame); fitted <- transform(frame, y = fitted(model))"
    frame = pd.DataFrame({"x": [1.0, 2.0, 4.0], "y": [3.0, 5.0, 9.0]})
    outputs = {"fitted": CellPort("t", True)}
    ended = run_cell(find_language("r"), code, tmp_path, {"frame": Sent("t", frame, True)}, outputs)
    pd.testing.assert_frame_equal(ended.outputs["fitted"], frame)


@pytest.mark.parametrize("code", ["frame <- data.frame(x = c(1, NA), n = c(NA, 3L), s = c(NA, 'a'))"])
def test_what_r_misses_is_missing(code: str, tmp_path: Path) -> None:
    ended = run_cell(find_language("r"), code, tmp_path, {}, {"frame": CellPort("t", True)})
    expected = pd.DataFrame({"x": [1, np.nan], "n": pd.array([None, 3], dtype="Int64"), "s": [None, "a"]})
    pd.testing.assert_frame_equal(ended.outputs["frame"], expected)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"x": [1 + 2j]}), "column 'x': a table of another language can't hold complex128"),
        (pd.DataFrame({"x": [1, "a"]}), "column 'x': expected values of one type"),
        (pd.DataFrame({"x": [[1]]}), "column 'x': expected values of one type"),
        (pd.DataFrame({"x": pd.Categorical([1, 2])}), "column 'x': expected categories of str"),
        (pd.DataFrame({"x": np.array([2**64 - 1], dtype="uint64")}), "column 'x': expected an int of at most 64 bits"),
        (pd.DataFrame({"x": pd.period_range("2024", periods=1, freq="Y")}), "column 'x': a table of another language"),
        (pd.DataFrame({"x": [1, 2]}, index=[1, 0]), "call reset_index"),
        (pd.DataFrame({"x": [1]}, index=pd.Index([0], name="i")), "call reset_index"),
        (pd.DataFrame([[1, 2]], columns=["x", "x"]), "every column's name once"),
        (pd.DataFrame([[1]], columns=[0]), "expected names of columns as str, got 0"),
        (pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])), "one level of column names"),
        ({"x": [1], "y": []}, "expected columns of one length"),
        (3, "expected a data frame or a dict of lists, got 3"),
    ],
)
def test_what_a_table_can_t_hold_is_refused(frame: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        dumps(frame, "t")


def test_nanoseconds_are_kept() -> None:
    frame = pd.DataFrame({"t": pd.to_datetime([1, 2**62], unit="ns"), "d": pd.to_timedelta([-1, 3], unit="ns")})
    pd.testing.assert_frame_equal(loads(dumps(frame, "t")), frame)


def test_without_pandas_a_table_is_a_dict_of_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {
        "x": [1.5, None],
        "s": ["a", None],
        "t": [datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC), None],
        "d": [datetime.timedelta(1), None],
    }
    text = dumps(table, "t")
    monkeypatch.setattr(tables.importlib.util, "find_spec", lambda name: None)
    assert loads(text) == table
