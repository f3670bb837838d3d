"""Files whose rows or elements are looked at where they lie: Parquet, JSON lines, arrays of numpy; and queries."""

from __future__ import annotations

import io
import json
import pickle
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
from flytekit.types.file import FlyteFile

import flytenb
from flytenb.display import deadline as asked
from flytenb.display.show import show
from flytenb.display.values import lazy, parquet


def _cells(text: str) -> list[list[str]]:
    """The rows below the table's rule."""
    lines = text.splitlines()
    start = max(i for i, line in enumerate(lines) if "──" in line) + 1
    return [line.split() for line in lines[start:]]


@pytest.fixture
def shuffled(tmp_path: Path) -> Path:
    numbers = [(7 * i) % 100 if i % 10 else None for i in range(1, 101)]
    words = [f"w{i % 7}" for i in range(100)]
    pq.write_table(pa.table({"n": numbers, "word": words}), tmp_path / "t.parquet", row_group_size=17)
    return tmp_path / "t.parquet"


def test_a_parquet_file_is_sorted_with_what_is_missing_last(shuffled: Path) -> None:
    explorer = flytenb.explore(FlyteFile(str(shuffled)))
    assert [row[1] for row in _cells(explorer.choose(sort=0).static.text)[:4]] == ["1", "2", "3", "4"]
    explorer.choose(is_descending=True)
    assert [row[1] for row in _cells(explorer.static.text)[:2]] == ["99", "98"]
    assert [row[1] for row in _cells(explorer.choose(start=90).static.text)][:2] == ["None", "None"]
    # Words come in the order of what they say, not of where the file keeps them.
    found = _cells(explorer.choose(start=0, sort=1, is_descending=False).static.text)
    assert found[0][2] == "w0"
    assert _cells(explorer.choose(is_descending=True).static.text)[0][2] == "w6"


def test_a_parquet_file_is_searched(shuffled: Path) -> None:
    text = flytenb.explore(shuffled).choose(find="W3").static.text
    assert {row[2] for row in _cells(text)[:10]} == {"w3"}
    assert 'rows 1–10 of 14 with "W3"' in text


def test_a_parquet_file_that_is_too_large_to_sort_says_so_and_offers_no_control(
    shuffled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "_HELD", 100)
    explorer = flytenb.explore(shuffled)
    assert "of 100 rows are paged, not sorted or searched" in explorer.live.text
    assert 'data-ft-set="sort"' not in explorer.live.fragment
    assert 'data-ft-set="find"' not in explorer.live.fragment
    monkeypatch.setattr(pq.ParquetFile, "read", None)
    assert _cells(explorer.choose(sort=0, start=20).static.text)[0][1] == "47"


def test_words_that_a_file_says_once_are_held_once(tmp_path: Path) -> None:
    words = pa.DictionaryArray.from_arrays(pa.array([0] * 500_000), pa.array(["x" * 100_000]))
    pq.write_table(pa.table({"word": words}), tmp_path / "t.parquet", store_schema=False)
    before = pa.total_allocated_bytes()
    explorer = flytenb.explore(tmp_path / "t.parquet")
    assert "rows 400,001–400,010" in explorer.choose(start=400_000).static.text
    assert "rows 1–10" in explorer.choose(sort=0, start=0).static.text
    # 50 GB if every row had its own.
    assert pa.default_memory_pool().max_memory() - before < 1_000_000_000


def test_lines_of_json_are_a_table(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"n": i, "word": f"w{i % 3}"}) + "\n" for i in range(30)))
    text = show(FlyteFile(str(path))).text
    assert "… 20 more rows" in text
    assert "0 … 29" in text
    explorer = flytenb.explore(path).choose(sort=0, is_descending=True, find="w2")
    assert _cells(explorer.static.text)[0] == ["29", "29", "w2"]


def test_lines_of_json_that_are_no_records_are_a_list(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text('1\n\n"two"\n[3]\n')
    assert "3 items" in show(path).text
    path.write_text('{"a": 1}\nno json\n')
    text = show(path).text
    assert "can't be read as ndjson: JSONDecodeError" in text
    assert "no json" in text


def test_of_many_lines_of_json_only_the_first_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1, "b": "é"}\n' * 300_000)
    assert show(path).text.endswith("… more rows")
    assert "only the first 4.0 MB of the file were read" in flytenb.explore(path).choose(start=5).static.text


def test_an_array_in_a_file_is_shown_like_any_and_sliced(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(4 * 30 * 30, dtype="int16").reshape(4, 30, 30))
    text = show(FlyteFile(str(tmp_path / "a.npy"))).text
    assert "4 × 30 × 30" in text
    assert "int16" in text
    assert "0 … 3599, mean 1799.5" in text
    explorer = flytenb.explore(tmp_path / "a.npy").choose(index=(2,))
    assert "[2, :, :]" in explorer.static.text
    assert "1800 … 2699" in explorer.static.text
    np.save(tmp_path / "f.npy", np.asfortranarray([[1, 2], [3, 4]]))
    assert show(tmp_path / "f.npy").text.split()[-4:] == ["1", "2", "3", "4"]


@pytest.mark.parametrize("array", [np.array(2.5), np.zeros((0, 3)), np.array(["a", "b"]), np.zeros(3, "i4,f8")])
def test_an_array_of_any_kind_in_a_file_is_shown(tmp_path: Path, array: Any) -> None:
    np.save(tmp_path / "a.npy", array)
    text = show(tmp_path / "a.npy").text
    assert "can't be read" not in text
    assert str(array.dtype) in text


class Trap:
    """Says so when it is unpickled."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path("sprung"),)


def test_objects_in_an_array_s_file_are_not_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    np.savez("b.npz", trap=np.array([Trap()], dtype=object), good=np.zeros((2, 3)))
    assert "not opened: unpickling would run" in show(Path("a.npy")).text
    text = show(Path("b.npz")).text
    assert "trap  1 element (object)" in text
    assert "good  2 × 3 (float64)" in text
    assert not Path("sprung").exists()
    pickle.loads(pickle.dumps(Trap()))
    assert Path("sprung").exists()


def test_a_broken_array_s_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00 nothing")
    assert "can't be read as npy" in show(tmp_path / "a.npy").text
    (tmp_path / "a.npz").write_bytes(b"nothing")
    assert "can't be read as npz: BadZipFile" in show(tmp_path / "a.npz").text


def test_of_a_huge_array_in_a_file_only_some_elements_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "<f8", "fortran_order": False, "shape": (10, 10_000_000_000)}
        )
        file.truncate(file.tell() + 8 * 100_000_000_000)
    text = show(path).text
    assert "10 × 10,000,000,000" in text
    assert "evenly spread" in text


def test_what_arrow_would_read_tells_its_columns_and_is_not_read(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1], "word": ["x"]}), tmp_path / "t.parquet")
    text = show(pyarrow.dataset.dataset(tmp_path / "t.parquet")).text
    assert [line.split() for line in text.splitlines()[1:3]] == [["a", "(int64)"], ["word", "(string)"]]
    assert "not collected" in text
    reader = pa.table({"a": [1]}).to_reader()
    assert "int64" in show(reader).text
    assert reader.read_all().num_rows == 1
    many = pa.schema([(f"c{i}", pa.int64()) for i in range(500)])
    assert "… 450 more<" in show(pa.RecordBatchReader.from_batches(many, [])).html


def test_a_lazy_frame_tells_its_columns_to_who_asks() -> None:
    seen: list[Any] = []
    frame = pl.LazyFrame({"a": [1]}).with_columns(b=pl.col("a").map_elements(seen.append, return_dtype=pl.String))
    assert "not collected" in show(frame).text
    explorer = flytenb.explore(frame)
    assert "ask for them" in explorer.live.text
    explorer.choose("columns", is_open=True)
    assert [line.split() for line in explorer.static.text.splitlines()[-2:]] == [["a", "(Int64)"], ["b", "(String)"]]
    assert not seen
    missing = flytenb.explore(pl.scan_parquet("/no/such.parquet")).choose("columns", is_open=True)
    assert "the request failed: FileNotFoundError" in missing.static.text


def test_who_asks_waits_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lazy, "_PATIENCE", 0.01)
    monkeypatch.setattr(pl.LazyFrame, "collect_schema", lambda self: time.sleep(1))
    explorer = flytenb.explore(pl.LazyFrame({"a": [1]})).choose("columns", is_open=True)
    assert "the request failed: TimeoutError: no answer within 10 ms" in explorer.static.text


def test_an_answer_is_given_on_and_so_is_an_error() -> None:
    assert asked.wait_for(lambda: 5, 10) == 5
    with pytest.raises(io.UnsupportedOperation):
        asked.wait_for(io.BytesIO().fileno, 10)


@pytest.mark.parametrize(("separator", "start"), [(";", ""), ("\t", ""), ("|", ""), (",", "\ufeff"), (";", "\ufeff")])
def test_a_csv_file_is_read_as_spreadsheets_write_it(tmp_path: Path, separator: str, start: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{start}n{separator}word\n1,5{separator}x\n".replace("1,5", "1,5" if separator != "," else "1.5"))
    lines = [line.split() for line in show(FlyteFile["csv"](str(path))).text.splitlines()]
    assert lines[1] == ["n", "word"]
    assert lines[3][1] == "x"


def test_a_file_that_nobody_could_read_is_shown_as_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(b"\x1f\x8b\x08\xff")
    assert r"b'\x1f\x8b\x08\xff'" in show(tmp_path / "a.gz").text
    (tmp_path / "a.txt").write_bytes("über\n".encode("latin-1"))
    assert "ber" in show(tmp_path / "a.txt").text.splitlines()[1]
    # A character that ends behind the head is no mistake.
    (tmp_path / "b.txt").write_bytes(b"x" + "é".encode() * 40_000)
    assert "xéé" in show(tmp_path / "b.txt").text
