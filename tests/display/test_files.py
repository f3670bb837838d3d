"""Files and directories are shown by what they hold; nothing is fetched and nothing unpickled."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
import textwrap
import wave
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from flytekit import FlyteContext, StructuredDataset, task
from flytekit.core.data_persistence import FileAccessProvider
from flytekit.core.type_engine import TypeEngine
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from PIL import Image

import flytenb
from flytenb.display.limits import Limits
from flytenb.display.show import show


@pytest.fixture(autouse=True)
def nothing_is_fetched(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a display asked for data")

    monkeypatch.setattr(FileAccessProvider, "get_data", refuse)
    monkeypatch.setattr(FileAccessProvider, "async_get_data", refuse)


def _file(path: Path, content: str | bytes) -> FlyteFile:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return FlyteFile(str(path))


def _lines(value, declared=None, **limits) -> list[str]:
    return [line.strip() for line in show(value, declared, limits=Limits(**limits)).text.split("\n")]


def test_a_csv_file_is_a_table(tmp_path):
    rows = "".join(f'{i},"city, {i}"\n' for i in range(30))
    text = show(_file(tmp_path / "c.csv", "id,name\n" + rows), FlyteFile["csv"]).text
    assert text.startswith("FlyteFile['csv'] · ")
    assert "city, 3" in text
    assert "… 20 more rows" in text


def test_a_large_csv_file_is_read_only_at_its_head(tmp_path):
    lines = _lines(_file(tmp_path / "c.csv", "id,name\n" + "1,x\n" * 100_000))
    assert lines[-1] == "… more rows"


def test_a_csv_file_can_be_paged_sorted_and_searched(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("code,n\n" + "".join(f"{i:03},{(7 * i) % 100}\n" for i in range(100)) + "short\n")
    explorer = flytenb.explore(FlyteFile(str(path)))
    assert "rows 21–30 of 101" in explorer.choose(start=20).static.text
    assert "020" in explorer.static.text
    cells = [line.split() for line in explorer.choose(start=0, sort=1).static.text.splitlines()]
    assert cells[4:7] == [["0", "000", "0"], ["43", "043", "1"], ["86", "086", "2"]]
    assert "of 1 with" in explorer.choose(find="099").static.text


@pytest.mark.slow
def test_of_a_large_csv_file_it_says_how_much_was_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n" + "1,2\n" * 1_100_000)
    assert (
        "only the first 4.0 MB of the file were read"
        in flytenb.explore(FlyteFile(str(path))).choose(start=5).static.text
    )


def test_a_json_file_is_a_tree(tmp_path):
    assert "'b'  [1, 2] (list)" in show(_file(tmp_path / "a.json", json.dumps({"a": 1, "b": [1, 2]}))).text


def test_a_picture_is_embedded_and_made_smaller_if_it_is_large(tmp_path):
    out = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (400, 500, 3), dtype="uint8")
    Image.fromarray(noise).save(out, "PNG")
    assert len(out.getvalue()) > Limits().embed
    shown = show(_file(tmp_path / "large.png", out.getvalue()))
    assert "500 × 400 pixels, scaled down" in shown.text
    assert 'src="data:image/png;base64,' in shown.fragment
    assert len(shown.fragment) < Limits().html


def test_a_recording_can_be_played(tmp_path):
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(1)
        out.setframerate(8000)
        out.writeframes(bytes(100))
    assert '<audio controls src="data:audio/wav;base64,' in show(FlyteFile(str(path))).fragment


def test_a_parquet_file_shows_schema_spans_and_head(tmp_path):
    table = pa.table({"n": list(range(50)), "w": ["a", None] * 25, "when": pd.date_range("2024-01-01", periods=50)})
    pa.parquet.write_table(table, tmp_path / "t.parquet", row_group_size=20)
    text = show(FlyteFile(str(tmp_path / "t.parquet"))).text
    assert "0 … 49" in text
    assert "25 nulls" in text
    assert "2024-01-01 00:00:00" in text
    assert "… 40 more rows" in text


@pytest.mark.parametrize("start", [0, 15, 20, 995, 1_000])
def test_a_parquet_file_can_be_paged_over_its_row_groups(tmp_path, start):
    names = [f"c{i}" for i in range(30)]
    table = pa.table({n: list(range(1_003)) for n in names})
    pa.parquet.write_table(table, tmp_path / "t.parquet", row_group_size=17)
    explorer = flytenb.explore(FlyteFile(str(tmp_path / "t.parquet"))).choose(start=start, left=29, size=25)
    first = start // 25 * 25
    stop = min(first + 25, 1_003)
    assert f"rows {first + 1:,}–{stop:,} of 1,003" in explorer.static.text
    assert "c29" in explorer.static.text
    assert "c0" not in explorer.static.text
    found = [line.split() for line in explorer.static.text.splitlines()]
    assert [line for line in found if len(line) == 2 and line[0].isdigit()] == [
        [str(i)] * 2 for i in range(first, stop)
    ]


def test_only_the_row_groups_of_a_page_are_read(tmp_path, monkeypatch):
    pa.parquet.write_table(pa.table({"n": list(range(1_000))}), tmp_path / "t.parquet", row_group_size=100)
    asked = []
    read = pa.parquet.ParquetFile.iter_batches
    monkeypatch.setattr(
        pa.parquet.ParquetFile,
        "iter_batches",
        lambda self, *args, row_groups, **rest: (
            asked.append(row_groups) or read(self, *args, row_groups=row_groups, **rest)
        ),
    )
    assert "rows 501–510" in flytenb.explore(tmp_path / "t.parquet").choose(start=500).static.text
    assert asked[-1] == [5]


def test_a_pickle_is_named_and_not_opened(tmp_path):
    marker = tmp_path / "opened"

    class Bomb:
        def __reduce__(self):
            return (os.mkdir, (str(marker),))

    for name in ("model.pkl", "model.joblib", "model.pt"):
        text = show(_file(tmp_path / name, pickle.dumps(Bomb()))).text
        assert "not opened: unpickling would run the code in it" in text
    assert not marker.exists()


def test_a_page_goes_into_a_sandbox(tmp_path):
    fragment = show(_file(tmp_path / "a.html", "<b>hi</b><script>alert(1)</script>"), FlyteFile["html"]).fragment
    assert 'sandbox=""' in fragment
    assert "<script" not in fragment


def test_text_bytes_and_nothing(tmp_path):
    assert "line two" in show(_file(tmp_path / "a.txt", "line one\nline two")).text
    assert "00 01 02" in show(_file(tmp_path / "a.bin", bytes(range(64)))).text
    assert "(empty)" in show(_file(tmp_path / "a.log", "")).text
    assert "more" in _lines(_file(tmp_path / "b.txt", "word " * 10_000))[-1]


@pytest.mark.parametrize("name", ["a.json", "a.parquet", "a.csv", "a.png"])
def test_a_file_that_is_not_what_its_name_says_is_still_shown(tmp_path, name):
    shown = show(_file(tmp_path / name, b"\xff\xfe garbage \x00" * 10))
    assert shown.text.startswith("FlyteFile · ")
    assert len(shown.fragment) < 10_000


def test_the_declared_extension_counts_before_the_name(tmp_path):
    path = tmp_path / "data"
    path.write_text("a,b\n1,2\n")
    assert "1  2" in show(FlyteFile["csv"](str(path)), FlyteFile["csv"]).text


def test_a_remote_file_is_its_address(tmp_path):
    assert _lines(FlyteFile("s3://bucket/key.parquet"))[1:] == ["uri   s3://bucket/key.parquet", "here  not downloaded"]
    assert "not downloaded" in show(FlyteDirectory("gs://bucket/dir")).text
    assert "does not exist" in show(Path("/no/such/file.csv")).text


def test_a_remote_directory_is_not_told_to_be_empty_before_it_is_downloaded():
    text = show(FlyteDirectory.from_source("s3://bucket/dir")).text
    assert "not downloaded" in text
    assert "empty" not in text


@pytest.mark.parametrize("kind", [FlyteFile, FlyteDirectory])
def test_a_path_on_this_machine_that_leads_nowhere_is_told(kind, tmp_path):
    text = show(kind(str(tmp_path / "gone"))).text
    assert "does not exist" in text
    assert "downloaded" not in text


def test_an_input_that_was_not_downloaded_yet_shows_where_it_lies():
    context = FlyteContext.current_context()
    literal_type = TypeEngine.to_literal_type(FlyteFile)
    literal = TypeEngine.to_literal(context, FlyteFile("s3://bucket/a.csv", remote_path=False), FlyteFile, literal_type)
    value = TypeEngine.to_python_value(context, literal, FlyteFile)
    assert "s3://bucket/a.csv" in show(value, FlyteFile).text


def test_a_file_without_its_init_is_shown():
    value = FlyteFile.__new__(FlyteFile)
    value.path = "s3://bucket/a.csv"
    assert "s3://bucket/a.csv" in show(value).text


def test_pipes_and_devices_are_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert "not read" in show(FlyteFile(str(tmp_path / "pipe"))).text
    assert "not read" in show(Path("/dev/zero")).text


def test_a_directory_is_a_tree_with_sizes(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.txt").write_text("12345")
    (tmp_path / "a.txt").write_text("123")
    (tmp_path / "loop").symlink_to(tmp_path)
    text = show(FlyteDirectory(str(tmp_path))).text
    assert "2 files · 8 bytes" in text
    assert [line.split() for line in text.split("\n")[1:]] == [
        ["sub/:", "1", "entry"],
        ["b.txt", "5", "bytes"],
        ["a.txt", "3", "bytes"],
        ["loop", "(link)"],
    ]


def test_a_huge_directory_is_not_walked_to_its_end(tmp_path):
    for i in range(2_100):
        (tmp_path / f"{i}.txt").touch()
    shown = show(FlyteDirectory(str(tmp_path)))
    assert "at least" in shown.text
    assert len(shown.fragment) < 30_000


def test_a_dataset_on_disk_shows_its_first_rows(tmp_path):
    pa.parquet.write_table(pa.table({"a": list(range(30))}), tmp_path / "00000")
    text = show(StructuredDataset(uri=str(tmp_path), file_format="parquet")).text
    assert "0 … 29" in text
    assert "… 20 more rows" in text


def test_a_parquet_file_needs_pyarrow_which_is_not_imported_for_it(tmp_path):
    pa.parquet.write_table(pa.table({"a": [1]}), tmp_path / "t.parquet")
    code = f"""
        import sys
        from pathlib import Path
        from flytenb.display.show import show
        print(show(Path({str(tmp_path / "t.parquet")!r})).text.split("\\n")[-1].strip(), "pyarrow" in sys.modules)
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "(import pyarrow to see its columns) False"


@task
def made_dataset() -> StructuredDataset:
    return StructuredDataset(dataframe=pd.DataFrame({"units": [417, 4]}))


def test_the_dataset_that_a_run_returns_is_shown() -> None:
    assert "417" in show(flytenb.run(made_dataset).result).text
