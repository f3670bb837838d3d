"""Values that answer: what is chosen is what is shown, within the same bounds, by the same displays."""

from __future__ import annotations

import datetime
import json
import threading
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import polars as pl
import pyarrow as pa
import pytest
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from flytekit.types.structured.structured_dataset import StructuredDataset

import flytenb
from flytenb.errors import UsageError
from flytenb.notebook.explore import explorer as explorer_module
from flytenb.notebook.explore.explorer import Explorer
from tests.page import Page

HOSTILE = "<img src=x onerror=alert(1)>"


@dataclass
class Point:
    x: int
    label: str


def frame() -> pd.DataFrame:
    return pd.DataFrame({"n": [(7 * i) % 100 for i in range(100)], "word": [f"w{i % 10}" for i in range(100)]})


TABLES: dict[str, Any] = {
    "pandas": frame(),
    "polars": pl.from_pandas(frame()),
    "arrow": pa.Table.from_pandas(frame()),
    "dataset": StructuredDataset(dataframe=frame()),
    "records": [Point((7 * i) % 100, f"w{i % 10}") for i in range(100)],
    "dicts": [{"n": (7 * i) % 100, "word": f"w{i % 10}"} for i in range(100)],
    "tuple": tuple(Point((7 * i) % 100, f"w{i % 10}") for i in range(100)),
    "deque": deque(Point((7 * i) % 100, f"w{i % 10}") for i in range(100)),
}


def rows(explorer: Explorer) -> list[list[str]]:
    """The table's cells: the last two are a number and a word."""
    lines = explorer.static.text.splitlines()
    start = max(i for i, line in enumerate(lines) if "──" in line) + 1
    split = [line.split()[-2:] for line in lines[start:]]
    return [line for line in split if line[0].isdigit() and line[1].startswith("w")]


@pytest.fixture(params=TABLES)
def table(request: pytest.FixtureRequest) -> Explorer:
    return flytenb.explore(TABLES[request.param])


def test_a_set_can_be_paged_in_order() -> None:
    numbers = flytenb.explore(set(range(1000)))
    assert "rows 501–510 of 1,000" in numbers.choose(start=500).static.text
    assert ["509", "509"] in [line.split() for line in numbers.static.text.splitlines()]
    tuples = flytenb.explore({(i, "word" * 20) for i in range(200)})
    last = tuples.choose(start=150).static.text
    assert "(99, " in last
    assert "(0, " not in last


class Odd:
    """Its methods raise, as those of broken or lazy objects do."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no")

    def __hash__(self) -> int:
        raise RuntimeError("no")

    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


COLUMNS: dict[str, Any] = {
    "floats": pd.Series([1.5, None, 2.5] * 10),
    "words": pd.Series(["a", None, "b"] * 10, dtype="string"),
    "category": pd.Series(["a", None, "b"] * 10, dtype="category"),
    "nullable": pd.Series([1, None, 2] * 10, dtype="Int64"),
    "moments": pd.Series(pd.to_datetime(["2024-01-01", None, "2024-01-02"] * 10)),
    "unlike": pd.Series([1, "a", None, pd.NA, [1], np.zeros(3), float("nan"), b"x"] * 4, dtype=object),
    "odd": pd.Series([Odd(), 1, "a"] * 10, dtype=object),
    "polars": pl.Series([1.5, None] * 10),
    "lists": pl.Series([[1, 2], None] * 10),
    "arrow": pa.array([{"a": 1}, None] * 10),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_any_column_can_be_sorted_and_searched(name: str) -> None:
    explorer = flytenb.explore(COLUMNS[name]).choose(sort=0)
    assert "rows 1–10 of" in explorer.static.text
    assert "rows 1–10 of" in explorer.choose(is_descending=True).static.text
    found = explorer.choose(find="a").static.text
    assert 'with "a"' in found or 'no row with "a"' in found
    for text in (explorer.static.text, explorer.choose(find="").static.text):
        assert "(the display" not in text


def test_records_with_odd_fields_can_be_sorted_and_searched() -> None:
    explorer = flytenb.explore([{"a": v} for v in (Odd(), np.zeros(3), None, 1, "x")]).choose(sort=0)
    last = explorer.static.text.splitlines()[-1]
    assert last.split() == ["2", "None"]
    explorer.choose(find="x")
    assert "(the display" not in explorer.static.text
    assert ["4", "x"] in [line.split() for line in explorer.static.text.splitlines()]


@pytest.mark.slow
def test_of_a_large_set_only_what_was_sorted_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    # Whatever the machine: what is left out when time runs out has a test of its own.
    patient = replace(explorer_module._LIMITS, seconds=600.0)
    monkeypatch.setattr(explorer_module, "_LIMITS", patient)
    explorer = flytenb.explore({(i, "word" * 20) for i in range(100_001)})
    assert "only 100,000 of them were sorted" in explorer.choose(start=10).static.text


def test_every_table_can_be_paged(table: Explorer) -> None:
    found = rows(table.choose(start=20))
    assert found == [[str((7 * i) % 100), f"w{i % 10}"] for i in range(20, 30)]
    assert "rows 21–30 of 100" in table.static.text
    assert len(rows(table.choose(size=50))) == 50


def test_every_table_can_be_sorted_both_ways(table: Explorer) -> None:
    assert [int(n) for n, _ in rows(table.choose(sort=0))] == list(range(10))
    assert [int(n) for n, _ in rows(table.choose(is_descending=True))] == list(range(99, 89, -1))


def test_every_table_can_be_searched_whatever_the_case(table: Explorer) -> None:
    assert {word for _, word in rows(table.choose(find="W3"))} == {"w3"}
    assert 'of 10 with "W3"' in table.static.text
    table.choose(find="nowhere")
    assert "no row" in table.static.text


@pytest.mark.parametrize("start", [-5, 99, 1000, 10**30])
def test_a_page_that_there_is_not_is_the_nearest_one(table: Explorer, start: int) -> None:
    assert len(rows(table.choose(start=start))) == 10


def test_missing_and_unlike_values_are_sorted_last_and_never_fail() -> None:
    mixed = [{"v": v, "w": 1} for v in (3, None, "b", float("nan"), 1, "a")]
    text = flytenb.explore(mixed).choose(sort=0).static.text
    order = [line.split()[1] for line in text.splitlines()[-7:] if line.split()[0].isdigit()]
    assert order == ["1", "3", "a", "b", "None", "nan"]
    objects = pd.DataFrame({"v": [3, "b", None, 1]})
    assert "raised" not in flytenb.explore(objects).choose(sort=0).static.text
    nested = pa.table({"v": [[2], [1], None]})
    assert "raised" not in flytenb.explore(nested).choose(sort=0, find="1").static.text


def test_wide_frames_move_to_the_right() -> None:
    wide = pd.DataFrame({f"c{i}": [i] for i in range(50)})
    text = flytenb.explore(wide).choose(left=30).static.text
    assert "c30" in text
    assert "c29" not in text
    assert "columns 31–50 of 50" in text


@pytest.mark.parametrize("ndim", [1, 2, 3, 4, 5])
def test_an_array_is_sliced_whatever_its_dimensions(ndim: int) -> None:
    array = np.arange(12**ndim).reshape((12,) * ndim)
    index = tuple(range(3, 3 + max(ndim - 2, 0)))
    explorer = flytenb.explore(array).choose(index=index, start=10)
    piece = array[index]
    first = piece[10] if ndim == 1 else piece[10][0]
    assert f"10  {first}" in " ".join(explorer.static.text.split()).replace(" ", "  ")
    assert ("[3" in explorer.static.text) == (ndim > 2)


def test_an_index_beyond_an_axis_is_its_last() -> None:
    assert "[1, :, :]" in flytenb.explore(np.zeros((2, 30, 30))).choose(index=(99,)).static.text


def test_a_stack_of_pictures_shows_the_chosen_one() -> None:
    stack = np.zeros((3, 20, 20), dtype="uint8")
    stack[2] = 255
    one, other = (flytenb.explore(stack).choose(index=(i,)).static.fragment for i in (0, 2))
    pictures = [[a["src"] for tag, a in Page(f).elements if tag == "img"] for f in (one, other)]
    assert len(pictures[0]) == len(pictures[1]) == 1
    assert pictures[0] != pictures[1]


def test_a_dict_is_opened_level_by_level_however_deep() -> None:
    value: Any = {"end": "reached " * 30}
    for _ in range(20):
        value = {"deeper": value}
    explorer = flytenb.explore(value)
    assert "reached" not in explorer.choose("0", is_open=False).static.text
    for depth in range(1, 21):
        explorer.choose(*["0"] * depth, is_open=True)
    assert "reached" in explorer.static.text
    assert "raised" not in explorer.static.text


def test_a_long_dict_is_paged() -> None:
    explorer = flytenb.explore({f"key{i}": i for i in range(200)}).choose(start=50)
    assert "'key50'" in explorer.static.text
    assert "'key49'" not in explorer.static.text
    assert "entries 51–100 of 200" in explorer.static.text


def test_what_contains_itself_ends() -> None:
    value: dict[str, Any] = {}
    value["me"] = [value, "x" * 100]
    explorer = flytenb.explore(value).choose("0", is_open=True).choose("0", "0", is_open=True)
    assert "contains itself" in explorer.static.text


def test_a_directory_is_opened_and_so_is_a_file_in_it(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.csv").write_text("h1,h2\n1,2\n")
    (tmp_path / "sub" / "no.pkl").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    for value in (tmp_path, FlyteDirectory(str(tmp_path))):
        explorer = flytenb.explore(value)
        assert "a.csv" not in explorer.choose("sub", is_open=False).static.text
        explorer.choose("sub", is_open=True)
        assert "a.csv" in explorer.static.text
        assert "h2" not in explorer.static.text
        explorer.choose("sub", "a.csv", is_open=True).choose("sub", "no.pkl", is_open=True)
        assert "h2" in explorer.static.text
        assert "not opened" in explorer.static.text


def test_a_link_in_a_directory_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "shown").mkdir()
    (tmp_path / "secret" / "word.txt").write_text("sesame")
    (tmp_path / "shown" / "way").symlink_to(tmp_path / "secret")
    explorer = flytenb.explore(tmp_path / "shown").choose("way", is_open=True).choose("way", "word.txt", is_open=True)
    assert "sesame" not in explorer.static.text
    assert "word.txt" not in explorer.static.text


class Counting(list):  # type: ignore[type-arg]
    """A list that tells which of its items were read."""

    def __init__(self, items: Any) -> None:
        super().__init__(items)
        self.read: set[int] = set()

    def __getitem__(self, i: Any) -> Any:
        self.read.add(i)
        return super().__getitem__(i)


def test_a_page_reads_no_more_than_its_rows() -> None:
    every = Counting(Point(i, "w") for i in range(20_000))
    explorer = flytenb.explore(every).choose(start=15_000)
    assert "15009" in explorer.static.text
    assert every.read <= {*range(15_000, 15_010), 0}


def test_nothing_lazy_is_run() -> None:
    ran = []
    lazy = pl.LazyFrame({"a": [1]}).map_batches(lambda frame: ran.append(1) or frame)
    assert "not collected" in flytenb.explore(lazy).choose(start=3, sort=0, find="1").static.text
    assert ran == []


def test_very_many_rows_are_paged_but_not_sorted() -> None:
    explorer = flytenb.explore(range_list := list(range(1_000_001))).choose(start=500_000, sort=0, is_descending=True)
    assert str(range_list[500_005]) in explorer.static.text
    assert "aren't sorted or searched" in explorer.static.text


def controls(explorer: Explorer) -> list[dict[str, str | None]]:
    return [a for _, a in Page(explorer.live.fragment).elements if "data-ft-set" in a]


def everything() -> Explorer:
    return flytenb.explore({"f": frame(), "a": np.zeros((3, 20, 20)), "d": {"e": [1, {"x": "y" * 100}]}})


def test_every_control_has_a_name_and_does_what_it_says() -> None:
    found = controls(everything())
    assert {c["data-ft-set"] for c in found} == {"start", "size", "sort", "find", "index", "is_open"}
    for control in found:
        assert control.get("aria-label") or control["data-ft-set"] == "is_open"
        explorer = everything()
        before = explorer.live.fragment
        to = control.get("data-ft-to", {"find": "w3", "size": "25"}.get(str(control["data-ft-set"]), "2"))
        explorer.handle_message(
            {
                "place": control["data-ft-place"],
                "set": control["data-ft-set"],
                "to": to,
                "axis": control.get("data-ft-axis"),
            }
        )
        assert (explorer.live.fragment != before) == (control.get("aria-disabled") != "true"), control


def test_sorting_goes_up_down_and_back() -> None:
    explorer = flytenb.explore(frame())
    message = {"place": "[]", "set": "sort", "to": "0"}
    seen = []
    for _ in range(3):
        explorer.handle_message(message)
        seen.append([int(n) for n, _ in rows(explorer)][:3])
    assert seen == [[0, 1, 2], [99, 98, 97], [0, 7, 14]]


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"place": "no json", "set": "start", "to": 1},
        {"place": "[]", "set": "__class__", "to": 1},
        {"place": "[]", "set": "start", "to": None},
        {"place": "[]", "set": "index", "to": 1, "axis": 1000},
        {"place": 3, "set": "start", "to": "1"},
        {"place": "{}", "set": "size", "to": "inf"},
    ],
)
def test_a_page_that_sends_nonsense_changes_nothing(message: dict[str, Any]) -> None:
    explorer = flytenb.explore(frame())
    before = explorer.live.fragment
    explorer.handle_message(message)
    assert explorer.live.fragment == before


def test_what_can_not_be_chosen_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="unexpected argument 'strat'") as caught:
        flytenb.explore(frame()).choose(strat=3)
    assert "start" in str(caught.value.hint)


def test_hostile_text_stays_text_in_controls_too() -> None:
    explorer = flytenb.explore([{HOSTILE: HOSTILE, '"x" data-ft-set="find': i} for i in range(30)])
    explorer.choose(find='"><script>alert(1)</script>').choose(find=HOSTILE)
    elements = Page(explorer.live.fragment).elements
    assert not [tag for tag, _ in elements if tag in ("img", "script")]
    assert not [a for _, a in elements if any(name.startswith("on") for name in a)]
    assert len([a for _, a in elements if a.get("data-ft-set") == "find"]) == 1


def test_a_live_view_stays_within_its_bound() -> None:
    huge = [{f"c{i}": "x" * 10_000 for i in range(200)} for _ in range(500)]
    explorer = flytenb.explore(huge).choose(size=100)
    assert len(explorer.live.fragment.encode()) <= 400_000
    assert json.loads(controls(explorer)[0]["data-ft-place"] or "") == []


def test_before_anything_is_chosen_it_is_what_show_shows() -> None:
    for value in (frame(), [1, 2], {"a": datetime.date(2024, 1, 1)}, np.zeros((4, 9, 9))):
        assert flytenb.explore(value).static == flytenb.show(value)


def test_a_closed_one_keeps_what_was_seen_and_lets_the_value_go() -> None:
    explorer = flytenb.explore(frame()).choose(start=20)
    explorer.close()
    assert "rows 21–30" in repr(explorer)
    assert "data-ft-set" not in explorer._repr_mimebundle_()["text/html"]
    assert explorer._value is None
    explorer.close()


def test_a_display_of_the_users_can_be_paged_too() -> None:
    from flytenb.display.part import Table

    class Lines:
        pass

    @flytenb.display_for(Lines)
    def show_lines(value: Lines, view: Any) -> Any:
        start, stop = view.page(1000)
        return Table(("line",), [(f"line {i}",) for i in range(start, stop)], 1000, window=view.window(1000))

    assert "line 30" in flytenb.explore(Lines()).choose(start=30).static.text
    assert "line 9" in flytenb.show(Lines()).text


def test_the_storage_is_asked_only_when_its_reader_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe("/bucket/a.bin", b"x" * 1234)
    memory.pipe("/bucket/deep/b.bin", b"y")
    asked: list[str] = []
    info = type(memory).info
    monkeypatch.setattr(type(memory), "info", lambda self, path, **k: asked.append(path) or info(self, path, **k))
    monkeypatch.setattr(type(memory), "_open", lambda *_: pytest.fail("it was opened"))
    file, folder = FlyteFile("memory://bucket/a.bin"), FlyteDirectory("memory://bucket")
    assert "not downloaded" in flytenb.show(file).text
    assert "ask for its size" in flytenb.explore(file).live.text
    assert asked == []
    assert "1.2 kB" in flytenb.explore(file).choose("there", is_open=True).static.text
    listed = flytenb.explore(folder).choose("there", is_open=True).static.text
    assert "a.bin  1.2 kB" in listed
    assert "deep/" in listed
    gone = flytenb.explore(FlyteFile("memory://bucket/gone")).choose("there", is_open=True).static.text
    assert "the request failed: FileNotFoundError" in gone


def test_a_storage_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = threading.Event()
    memory = type(fsspec.filesystem("memory"))
    monkeypatch.setattr(memory, "info", lambda *_, **__: let_go.wait())
    monkeypatch.setattr("flytenb.display.values.files._PATIENCE", 0.05)
    text = flytenb.explore(FlyteFile("memory://bucket/slow")).choose("there", is_open=True).static.text
    let_go.set()
    assert "no answer within 50 ms" in text


def test_what_leaves_nothing_to_choose_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explorer_module, "has_reader", lambda shell: True)
    figure = go.Figure(go.Scatter(x=[1, 2], y=[2, 1]))
    assert set(flytenb.explore(figure)._repr_mimebundle_()) == set(flytenb.show(figure)._repr_mimebundle_())
    assert "ft-explore" not in flytenb.explore(5)._repr_mimebundle_()["text/html"]
    answering = flytenb.explore(frame())
    assert "ft-explore" in answering._repr_mimebundle_()["text/html"]
    answering.close()


def test_values_of_one_word_are_beside_their_names_and_not_inside_them() -> None:
    explorer = flytenb.explore({"name": "ridge", "trained": datetime.datetime(2024, 2, 29), "text": "long " * 50})
    opened = [control for control in controls(explorer) if control["data-ft-set"] == "is_open"]
    assert [control["data-ft-place"] for control in opened] == [opened[-1]["data-ft-place"]]
    assert "ft-inside" in explorer.live.fragment, "the long text can be closed"
