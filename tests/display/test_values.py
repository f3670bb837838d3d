"""Type × value × {text, HTML}: every built-in display against its golden files, bounded, and the same in both."""

from __future__ import annotations

import base64
import collections
import contextlib
import datetime
import enum
import io
import re
import subprocess
import sys
import time
import typing
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Annotated, Any, NamedTuple

import altair
import matplotlib.figure
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import plotly.io
import polars as pl
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet
import pydantic
import pytest
from flytekit import Deck, StructuredDataset, task, workflow
from flytekit.deck import MarkdownRenderer, TopFrameRenderer
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from IPython.display import HTML, JSON, Audio, IFrame, Markdown
from PIL import Image

from flytenb.display.limits import Limits
from flytenb.display.rendering import Rendering
from flytenb.display.show import show
from flytenb.display.values import pictures
from tests.page import Page

matplotlib.use("Agg")
GOLDEN = Path(__file__).parents[1] / "golden" / "display"


@dataclass
class Coordinate:
    x: float
    y: float
    metadata: dict[str, float]


@dataclass
class Track:
    name: str
    points: list[Coordinate]
    start: Coordinate
    taken: datetime.datetime
    tags: set[str] = field(default_factory=set)
    parent: Track | None = None


class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Pair(NamedTuple):
    left: int
    right: str


class Person(pydantic.BaseModel):
    name: str
    age: int | None = None
    home: Coordinate


class Plain:
    """Has no repr of its own."""

    def __init__(self) -> None:
        self.size = 3
        self.inner = [1, 2]


class Lines:
    def __repr__(self) -> str:
        return "first line\nsecond line <b>"


@task
def subset(points: list[Coordinate], x_min: float, x_max: float = 1.5) -> list[Coordinate]:
    return [p for p in points if x_min <= p.x <= x_max]


@workflow
def narrow(points: list[Coordinate], x_min: float) -> list[Coordinate]:
    return subset(points=points, x_min=x_min)


def _coordinates(n: int) -> list[Coordinate]:
    return [Coordinate(i / 10, -i / 4, {"weight": i / 100}) for i in range(n)]


def _track() -> Track:
    points = _coordinates(25)
    return Track("morning", points, points[0], datetime.datetime(2024, 5, 1, 8, 30), {"b", "a"})


_SEEN = [datetime.datetime(2024, 1, 1), datetime.datetime(2024, 2, 3), None, datetime.datetime(2024, 5, 6, 12, 30)]


def _pandas() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "city": ["Oslo", "Rome", None, "Lima"] * 20,
            "inhabitants": [709_000, 2_870_000, 91, 10_000_000] * 20,
            "warmth": [5.7, 15.2, float("nan"), 19.125] * 20,
            "is_capital": [True, True, False, True] * 20,
            "seen": pd.Series(pd.to_datetime(_SEEN * 20)).astype("datetime64[us]"),
        }
    )


def _polars() -> pl.DataFrame:
    return pl.DataFrame({"a": [1, 2, None] * 10, "b": ["x", "y", "z"] * 10, "c": [[1], [], [2, 3]] * 10})


def _arrow() -> pa.Table:
    return pa.table({"n": [1, 2, None, 4], "w": ["a", "b", "b", None], "f": [0.5, 1.25, 2.0, None]})


def _figure() -> Any:
    figure = matplotlib.figure.Figure(figsize=(3, 2))
    axes = figure.subplots()
    axes.plot([1, 2, 3], [3, 1, 2])
    axes.set(title="Heights", xlabel="day", ylabel="metres")
    return figure


def _plotly() -> Any:
    figure = go.Figure([go.Scatter(x=[1, 2, 3], y=[3, 1, 2], name="north"), go.Bar(x=["a"], y=[2])])
    return figure.update_layout(title="Heights")


def _altair() -> Any:
    frame = pd.DataFrame({"day": [1, 2, 3], "height": [3.0, 1.0, 2.0]})
    return altair.Chart(frame).mark_line().encode(x="day", y="mean(height)")


def _error() -> ValueError:
    error = ValueError("no such city: 'Atlantis'")
    error.__cause__ = KeyError("Atlantis")
    error.add_note("it sank")
    return error


def _deck() -> Deck:
    return Deck("summary", "<h2>Summary</h2><p onclick='steal()'>12 rows</p><script>alert(1)</script>", False)


def _wide() -> pd.DataFrame:
    return pd.DataFrame({f"column_{i}": [i, -i] for i in range(60)})


def _indexed() -> pd.DataFrame:
    index = pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)], names=["group", "run"])
    return pd.DataFrame({"score": [0.5, 0.25, 1.0]}, index=index)


def _nest(depth: int) -> Any:
    return {"leaf": 1} if depth == 0 else {"deeper": _nest(depth - 1), "words": "lorem ipsum " * 6}


def _picture_array() -> np.ndarray:
    rows, columns = np.mgrid[0:32, 0:48]
    return np.stack([rows * 8, columns * 5, rows * 0 + 90], axis=2).astype("uint8")


_MARKDOWN = "# Title\n\n*some* <b>text</b>\n\n| a | b |\n|---|---|\n| 1 | 2 |"

CASES: dict[str, tuple[Callable[[], Any], Any]] = {
    "none": (lambda: None, None),
    "bool": (lambda: True, bool),
    "int": (lambda: 42, int),
    "int_huge": (lambda: 10**5000, int),
    "float": (lambda: 0.1 + 0.2, float),
    "float_nan": (lambda: float("nan"), float),
    "complex": (lambda: 1 + 2j, None),
    "str": (lambda: "hello 'there'", str),
    "str_lines": (lambda: "one\ntwo\n\tthree", str),
    "str_long": (lambda: "lorem ipsum " * 2000, str),
    "str_control": (lambda: "a\x1b[31mred\x00 \u202eevil \ud800", str),
    "str_markdown": (lambda: _MARKDOWN, Annotated[str, MarkdownRenderer()]),
    "bytes_short": (lambda: b"\x00\x01abc", bytes),
    "bytes": (lambda: bytes(range(256)) * 10, bytes),
    "datetime_naive": (lambda: datetime.datetime(2024, 2, 29, 12, 30), datetime.datetime),
    "datetime_zone": (lambda: datetime.datetime(2024, 2, 29, tzinfo=datetime.UTC), datetime.datetime),
    "date": (lambda: datetime.date(2024, 2, 29), datetime.date),
    "timedelta": (lambda: datetime.timedelta(days=2, hours=3, milliseconds=5), datetime.timedelta),
    "enum": (lambda: Colour.RED, Colour),
    "enum_int": (lambda: Level.HIGH, Level),
    "optional_none": (lambda: None, typing.Optional[Coordinate]),  # noqa: UP045
    "optional_value": (lambda: Coordinate(1.0, 2.0, {}), Coordinate | None),
    "union": (lambda: "7", int | str),
    "union_container": (lambda: _coordinates(3), list[Coordinate] | dict[str, Coordinate]),
    "list_empty": (list, list[int]),
    "list_few": (lambda: [3, 1, 2], list[int]),
    "list_numbers": (lambda: [i * i / 7 for i in range(300)], list[float]),
    "list_words": (lambda: ["a", "bb", None, "dd"] * 30, None),
    "list_lists": (lambda: [list(range(30)), [1, 2], []], list[list[int]]),
    "tuple": (lambda: (1, "two", Coordinate(3.0, 4.0, {})), None),
    "named_tuple": (lambda: Pair(1, "r"), None),
    "named_tuples": (lambda: [Pair(i, str(i)) for i in range(4)], None),
    "set": (lambda: {"pear", "apple", "fig"}, set[str]),
    "deque": (lambda: collections.deque(range(40)), None),
    "dict": (lambda: {"lr": 0.01, "layers": [64, 64, 10], "names": {"a": 1}}, dict[str, typing.Any]),
    "dict_empty": (dict, dict[str, int]),
    "dict_nested": (lambda: _nest(8), None),
    "dict_long": (lambda: {f"key{i}": i for i in range(500)}, dict[str, int]),
    "defaultdict": (lambda: collections.defaultdict(list, {"a": [1]}), None),
    "dataclass": (lambda: Coordinate(1.0, -2.5, {"weight": 0.5}), Coordinate),
    "dataclass_nested": (_track, Track),
    "dataclass_list": (lambda: _coordinates(1000), list[Coordinate]),
    "dataclass_dict": (lambda: {"a": Coordinate(1.0, 2.0, {}), "b": _track()}, None),
    "dict_list": (lambda: [{"id": i, "name": f"n{i}", "score": None if i % 3 else i / 2} for i in range(30)], None),
    "pydantic": (lambda: Person(name="Ada", age=36, home=Coordinate(1.0, 2.0, {})), Person),
    "pydantic_list": (lambda: [Person(name=f"p{i}", age=i or None, home=Coordinate(i, 0, {})) for i in range(3)], None),
    "pandas": (_pandas, pd.DataFrame),
    "pandas_renderer": (lambda: _pandas().head(3), Annotated[pd.DataFrame, TopFrameRenderer(2)]),
    "pandas_wide": (_wide, None),
    "pandas_empty": (pd.DataFrame, None),
    "pandas_index": (_indexed, None),
    "pandas_series": (lambda: pd.Series([1.5, None, 2.5], name="warmth"), None),
    "polars": (_polars, None),
    "polars_lazy": (lambda: _polars().lazy(), None),
    "polars_series": (lambda: pl.Series("s", [1, 2, 3]), None),
    "arrow": (_arrow, None),
    "arrow_column": (lambda: pa.chunked_array([[1, 2], [3]]), None),
    "dataset_frame": (lambda: StructuredDataset(dataframe=pd.DataFrame({"a": [1]})), StructuredDataset),
    "dataset_remote": (lambda: StructuredDataset(uri="s3://bucket/key", file_format="parquet"), StructuredDataset),
    "numpy_small": (lambda: np.arange(6, dtype="float64").reshape(2, 3) / 4, np.ndarray),
    "numpy_vector": (lambda: np.linspace(-1, 1, 1001) ** 3, None),
    "numpy_nan": (lambda: np.array([np.nan, np.inf, *range(40)], dtype="float32"), None),
    "numpy_picture": (_picture_array, None),
    "numpy_mask": (lambda: np.eye(16, dtype=bool), None),
    "numpy_words": (lambda: np.array(["a", "b"] * 20), None),
    "numpy_records": (lambda: np.array([(1, 2.5), (2, 3.5)] * 6, dtype=[("a", "<i8"), ("b", "<f8")]), None),
    "numpy_scalar": (lambda: np.int8(7), None),
    "numpy_empty": (lambda: np.zeros((0, 3)), None),
    "matplotlib": (_figure, None),
    "plotly": (_plotly, None),
    "altair": (_altair, None),
    "pil": (lambda: Image.fromarray(_picture_array()), Image.Image),
    "audio": (lambda: Audio(np.sin(np.arange(400) / 3), rate=8000), None),
    "html": (lambda: HTML("<p>hello <b>there</b></p>"), None),
    "json": (lambda: JSON({"a": [1, 2]}), None),
    "markdown": (lambda: Markdown("*hi*"), None),
    "deck": (_deck, None),
    "file_remote": (lambda: FlyteFile("s3://bucket/some/where/data.csv"), FlyteFile["csv"]),
    "directory_remote": (lambda: FlyteDirectory("s3://bucket/some/where"), FlyteDirectory),
    "exception": (_error, None),
    "task": (lambda: subset, None),
    "workflow": (lambda: narrow, None),
    "generator": (lambda: (i for i in range(3)), None),
    "function": (lambda: _nest, None),
    "class": (lambda: Coordinate, None),
    "object_plain": (Plain, None),
    "object_lines": (Lines, None),
    "object_bare": (object, None),
}


def _case(name: str) -> Rendering:
    make, declared = CASES[name]
    return show(make(), declared)


def _normal(html: str) -> str:
    """Replace what differs between machines: the bytes of rendered pictures."""
    return re.sub(r'(data:[\w/+-]+;base64,)[^"&]+', r"\1…", html)


def _normal_text(text: str) -> str:
    return re.sub(r"\d[\d.,]* (kB|bytes)(?=[\])<])", "N \\1", text)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", CASES)
def test_text_and_html_are_as_they_were(name: str, update_golden: bool) -> None:
    shown = _case(name)
    for suffix, got in ((".txt", shown.text + "\n"), (".html", shown.fragment + "\n")):
        path = GOLDEN / (name + suffix)
        got = _normal_text(_normal(got)) if CASES[name][0] in _RENDERED else _normal(got)
        if update_golden:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(got, encoding="utf-8")
        assert got == path.read_text(encoding="utf-8")


_RENDERED = (_figure, _altair, CASES["numpy_picture"][0], CASES["numpy_mask"][0], CASES["pil"][0])


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", CASES)
def test_nothing_overflows(name: str) -> None:
    shown = _case(name)
    assert len(shown.text) <= Limits().text
    assert len(shown.fragment.encode()) <= Limits().html


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", CASES)
def test_text_and_html_tell_the_same(name: str) -> None:
    shown = _case(name)
    reported = Page(shown.fragment).facts
    *whole, last = shown.text.split("\n")
    if last.endswith(("more line", "more lines")):
        assert Page.words_of("\n".join(whole)) <= reported
    else:
        assert Page.words_of(shown.text) == reported


@pytest.mark.parametrize("values", [list(range(10**6)), set(range(10**6))])
def test_the_span_of_some_of_many_numbers_says_that_there_are_more(values: Any) -> None:
    head = show(values).text.splitlines()[0]
    assert head.endswith(("0 … 9999 in the first 10,000", "in 10,000 of them"))


def test_a_poster_is_drawn_no_larger_than_it_is_shown() -> None:
    figure = matplotlib.figure.Figure(figsize=(200, 100))
    asked: list[float] = []
    drawn = figure.savefig
    figure.savefig = lambda *args, dpi, **rest: asked.append(dpi) or drawn(*args, dpi=dpi, **rest)  # type: ignore[func-returns-value,method-assign]
    assert "PNG picture" in show(figure).text
    assert max(asked) * 200 <= 1_600


@pytest.mark.parametrize("depth", ["uint16", "int32", "float32"])
def test_a_picture_of_deep_greys_keeps_them_apart(depth: str) -> None:
    greys = (np.arange(100 * 100).reshape(100, 100) * (6 if depth == "uint16" else 1)).astype(depth)
    shown = show(Image.fromarray(greys))
    assert "black 0.0, white" in shown.text
    (data,) = re.findall(r"data:image/png;base64,([^\"]+)", shown.fragment)
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        assert len(image.getcolors() or ()) > 200
        assert image.getextrema() == (0, 255)
    assert show(Image.fromarray(np.full((9, 9), 5, depth))).text.endswith(
        "black 5.0, white 5.0 · PNG picture, 69 bytes]"
    )
    assert "aren't all finite" in show(Image.fromarray(np.full((9, 9), np.nan, "float32"))).text


def test_what_has_nothing_to_draw_or_would_be_fetched_says_so() -> None:
    assert show(Image.new("RGB", (0, 5))).text == "Image · 0 × 5 pixels · RGB\n  (empty)"
    assert show(IFrame("http://example.com/", 5, 5)).text == "IFrame\n  (not fetched: 'http://example.com/')"
    (line,) = matplotlib.figure.Figure().subplots().plot([1, 2], label="a line")
    assert show(line).text == "Line2D(a line) (Line2D)"


def test_drawing_a_chart_fetches_nothing(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("day\n1\n")
    log = tmp_path / "log"
    # In a process of its own: what draws holds the lock that a thread of ours would need to answer.
    with log.open("wb") as said, _server(tmp_path, said) as address:
        urllib.request.urlopen(f"{address}/").close()
        shown = show(altair.Chart(f"{address}/data.csv").mark_bar().encode(x="day:Q"))
    assert "mark bar" in shown.text
    assert "GET / " in log.read_text()
    assert "data.csv" not in log.read_text()


@pytest.fixture
def pictures_asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(pictures, "_PATIENCE", 60.0)
    before = plotly.io.renderers.default
    plotly.io.renderers.default = "plotly_mimetype+png"
    yield
    plotly.io.renderers.default = before
    pictures._figure_png.cache_clear()


@pytest.mark.slow
@pytest.mark.browser
def test_a_figure_of_plotly_is_drawn_for_who_asks_plotly_for_pictures(pictures_asked: None) -> None:
    shown = show({"inside": _plotly()})
    assert "Heights · PNG picture" in shown.text
    (data,) = re.findall(r"data:image/png;base64,([^\"]+)", shown.fragment)
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        assert image.size == (700, 450)
        assert len(image.convert("RGB").getcolors(1_000_000)) > 10
    assert "for an image" not in shown.text


def test_a_figure_is_drawn_once_and_no_larger_than_a_page(
    pictures_asked: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    def to_image(self: Any, format: str, width: int, height: int) -> bytes:
        asked.append((width, height))
        return b"\x89PNG"

    monkeypatch.setattr(go.Figure, "to_image", to_image)
    for _ in range(3):
        assert "PNG picture, 4 bytes" in show(_plotly().update_layout(width=90_000)).text
    assert asked == [(1_000, 450)]


def test_a_figure_that_can_t_be_drawn_says_why(pictures_asked: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Any, **settings: Any) -> bytes:
        raise ValueError("kaleido is missing")

    monkeypatch.setattr(go.Figure, "to_image", fail)
    text = show(_plotly()).text
    assert "it can't be drawn: ValueError: kaleido is missing" in text
    assert "north" in text
    monkeypatch.setattr(pictures, "_PATIENCE", 0.01)
    monkeypatch.setattr(go.Figure, "to_image", lambda self, **settings: time.sleep(1))
    assert "it can't be drawn: TimeoutError: no answer within 10 ms" in show(_plotly()).text


@contextlib.contextmanager
def _server(directory: Path, log: IO[bytes]) -> Iterator[str]:
    """Serve a directory and log what is asked for."""
    command = [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(directory), "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://[\d.:]+", process.stdout.readline())
            assert found is not None
            yield found[0]
        finally:
            process.terminate()
