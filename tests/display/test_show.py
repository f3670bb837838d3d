from __future__ import annotations

import dataclasses
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from types import SimpleNamespace

import pandas as pd
import pytest
from flytekit import task, workflow

from flytenb import api
from flytenb.display.limits import Limits
from flytenb.display.part import Column, Facts, Group, RangeCell, Section, Table, Text
from flytenb.display.part_text import width_of
from flytenb.display.rendering import Rendering, render_part
from flytenb.display.show import show
from flytenb.wording.text import WIDTH


@dataclasses.dataclass
class Coordinate:
    x: float
    y: float
    metadata: dict[str, float]


POINTS = [Coordinate(i / 10, -i / 4, {"weight": i / 100}) for i in range(1000)]


class _Page(HTMLParser):
    """What a browser would make of some HTML: its elements and its words."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.extend(data.split())


def test_shown_is_its_text_and_a_bundle_of_both():
    shown = show(5)
    assert repr(shown) == shown.text == "5 (int)"
    bundle = shown._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert bundle["text/html"].startswith('<div class="ft-show"><style>')


def test_a_name_stands_before_the_value():
    assert show(5, name="n").text == "n = 5 (int)"
    assert show(POINTS, name="points").text.startswith("points = list[Coordinate] · 1,000 items")


def test_a_list_of_dataclasses_is_a_table_with_summaries():
    text = show(POINTS, list[Coordinate]).text
    assert "0.0 … 99.9" in text
    assert "… 990 more rows" in text


def test_a_frame_shows_its_columns_and_no_more_than_the_first_rows():
    frame = pd.DataFrame({"a": [1.5, None, 3.0] * 100, "b": ["x", "y", "z"] * 100})
    shown = show(frame)
    assert "300 rows × 2 columns" in shown.text
    assert "1.5 … 3.0, 100 nulls" in shown.text
    assert shown.fragment.count("<tr>") == 11


@pytest.mark.parametrize("declared", [Coordinate | None, Coordinate | str])
def test_a_union_says_which_member_it_is(declared):
    text = show(Coordinate(1.0, 2.0, {}), declared).text
    assert "of Coordinate | " in text


def test_limits_can_be_widened():
    assert show(POINTS, limits=Limits(rows=50)).fragment.count("<tr>") == 51


@pytest.mark.parametrize(("parts", "left_out"), [(3, "… 1 more part"), (2002, "… 2,000 more parts")])
def test_parts_over_the_limit_are_counted(parts, left_out):
    shown = render_part(Group((Text("x"),) * parts), Limits(nodes=2, text=100_000))
    assert shown.text.split("\n")[-1].strip("()") == left_out


def test_showing_a_number_loads_neither_flytekit_nor_a_frame_library():
    code = (
        "import sys; from flytenb.display.show import show; show([1, {'a': 2}]); "
        "print(sorted({'flytekit', 'pandas', 'numpy', 'polars', 'pyarrow', 'IPython'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_a_value_that_raises_everywhere_is_still_shown():
    class Hostile:
        def __getattr__(self, name):
            raise RuntimeError(name)

        def __repr__(self):
            raise ValueError("no")

        def __len__(self):
            raise KeyError

    shown = show(Hostile())
    assert isinstance(shown, Rendering)
    assert shown.text == "<Hostile, whose repr raised ValueError> (Hostile)"


def test_values_may_be_shown_from_many_threads_at_once():
    values = [POINTS[:n] for n in range(2, 40)] + [{"n": n, "inner": {"text": "lorem " * 30}} for n in range(40)]
    alone = [show(value) for value in values]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(show, values * 5))
    assert [s.fragment for s in together] == [s.fragment for s in alone] * 5


def test_our_own_drawings_and_runs_show_their_own_pictures():
    @task
    def double(n: int) -> int:
        return 2 * n

    @workflow
    def twice(n: int) -> int:
        return double(n=n)

    drawing = api.draw(twice)
    assert show(drawing).text == drawing.text
    assert "data:image/svg+xml;base64," in show(drawing).fragment
    assert "<img" in show([drawing]).fragment
    run = api.run(twice, n=2)
    shown = show(run)
    assert "succeeded" in shown.text
    assert "data:image/svg+xml;base64," in shown.fragment
    assert show(double).text == "double(n: int) -> int (task)"


def test_a_wrapped_table_has_its_last_column_in_full() -> None:
    signature = (
        "(documents: list[str], model_name: str = 'all', batch_size: int = 32, normalise: bool = True) -> list[str]"
    )
    text = render_part(
        Table(("name", "kind", "signature"), [("embed", "task", signature)], is_wrapped=True), Limits(cell=400)
    ).text
    assert " ".join(text.splitlines()[2:]).split() == ["embed", "task", *signature.split()]
    assert max(map(len, text.splitlines())) <= WIDTH


def test_a_wrapped_table_cuts_the_cells_of_a_column_that_is_cut() -> None:
    columns = (Column("run"), Column("why", is_cut=True))
    lines = render_part(Table(columns, [("0", "long " * 100)], is_wrapped=True), Limits(cell=400)).text.splitlines()
    assert len(lines) == 3
    assert lines[-1].endswith("…")
    assert max(map(len, lines)) <= WIDTH


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> int:
    """The columns of a terminal that shows what is printed."""
    terminal = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr("flytenb.wording.text.sys", SimpleNamespace(stdout=terminal))
    monkeypatch.setenv("COLUMNS", "60")
    return 60


def test_tables_fit_a_narrow_terminal_and_name_the_rows_of_each_block(narrow: int) -> None:
    rows = [
        (f"n{i}", "a name of a task", RangeCell.of(0.5, 1.0), "12 ms", "succeeded and more words") for i in range(3)
    ]
    columns = ("node", "name", "", Column("took", is_number=True), "phase")
    lines = render_part(Section("timeline", ("12 ms",), Table(columns, rows))).text.splitlines()
    assert max(map(width_of, lines)) <= narrow
    assert sum(line.startswith("  n2 ") for line in lines) == 2
    assert "            ▒▒▒▒▒▒▒▒▒▒▒▒" in lines[3]


def test_facts_are_wrapped_beside_their_names(narrow: int) -> None:
    why = "no: mashumaro, which converts dataclasses for flytekit, doesn't know DataFrame"
    lines = render_part(Section("lens", body=Facts([("dataclass field", why), ("bytes", "6")]))).text.splitlines()
    assert max(map(width_of, lines)) <= narrow
    assert lines[1].startswith("  dataclass field  no: mashumaro, ")
    assert lines[2].startswith(19 * " ") and lines[2][19] != " "
    assert " ".join(" ".join(lines[1:-1]).split()) == f"dataclass field {why}"
    assert lines[-1] == "  bytes            6"


def test_cells_wider_than_a_terminal_are_cut(narrow: int) -> None:
    frame = pd.DataFrame({"text": ["日本語のテキスト" * 10, "a" * 200], "n": [1, 2]})
    lines = show(frame).text.splitlines()
    assert max(map(width_of, lines)) <= narrow
    assert "…" in lines[5]


def test_a_wrapped_column_that_has_no_room_is_below_the_others(narrow: int) -> None:
    signature = "(documents: list[str], model_name: str = 'all', batch_size: int = 32) -> list[str]"
    columns = ("name", "kind", "cell", "code", "last run", "signature")
    row = ("load_customers", "task", "[1]", "fresh", "✓ succeeded 12 ms", signature)
    lines = render_part(Table(columns, [row], is_wrapped=True), Limits(cell=400)).text.splitlines()
    assert max(map(width_of, lines)) <= narrow
    assert lines[3] == ""
    assert lines[4].split() == ["name", "signature"]
    assert " ".join(lines[6:]).split() == ["load_customers", *signature.split()]
