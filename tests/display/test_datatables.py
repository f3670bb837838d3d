"""Frames as tables of itables: beside the still display, never instead of it; bounded and escaped."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from flytenb.display.datatables import show_datatable
from flytenb.display.registry import BUILT_IN, Registry
from flytenb.display.rendering import Rendering
from flytenb.display.show import show

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture
def shown() -> Any:
    registry = Registry(below=BUILT_IN)
    for name in ("pandas.DataFrame", "pandas.Series", "polars.DataFrame"):
        registry.register(name)(show_datatable)
    return lambda value: show(value, registry=registry)


FRAMES: dict[str, Any] = {
    "pandas": pd.DataFrame({"n": range(30), "word": [f"w{i}" for i in range(30)]}),
    "index": pd.DataFrame({"n": [1, 2]}, index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["x", "y"])),
    "columns": pd.DataFrame(np.zeros((2, 2)), columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)])),
    "twice": pd.DataFrame([[1, 2]], columns=["a", "a"]),
    "odd": pd.DataFrame({"o": [object(), {"a": 1}, [1], None, float("nan"), b"x"], 3: pd.NaT}),
    "series": pd.Series([1.5, None], name="s"),
    "polars": pl.DataFrame({"n": [1, None], "list": [[1], [2, 3]]}),
}


@pytest.mark.parametrize("name", FRAMES)
def test_what_stands_without_scripts_is_what_stands_without_itables(name: str, shown: Any) -> None:
    made: Rendering = shown(FRAMES[name])
    still = show(FRAMES[name])
    assert (made.text, made.fragment) == (still.text, still.fragment)
    bundle = made._repr_mimebundle_()
    assert bundle["text/html"] == still.html + made.live
    assert re.match(r'<div id="ft-datatable-\w{16}" hidden="hidden"', made.live)
    assert "dt_args" in made.live


def test_only_a_frame_that_stands_alone_has_one(shown: Any) -> None:
    assert not shown({"frame": FRAMES["pandas"]}).live
    assert not shown(FRAMES["pandas"].head(0)).live
    assert not show(FRAMES["pandas"]).live


def test_it_is_bounded_in_rows_and_bytes_and_says_so(shown: Any) -> None:
    assert "the first 1,000 of 5,000 rows" in shown(pd.DataFrame({"n": range(5_000)})).live
    assert "the first 300 of 5,000 rows" in shown(pd.DataFrame({"n": ["x" * 300] * 5_000})).live
    assert not shown(pd.DataFrame({"n": ["x" * 9_000] * 5_000})).live


def test_hostile_content_is_escaped(shown: Any) -> None:
    live = shown(pd.DataFrame({HOSTILE: [HOSTILE]}, index=pd.Index([HOSTILE], name=HOSTILE))).live
    assert "alert(1)" in live
    assert HOSTILE not in live
    assert "<img" not in live
    # The script that shows another table is the last one, and all of them are itables' and ours.
    assert live.count("<script") == live.count("</script>") == 3
