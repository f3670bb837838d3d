"""A sweep runs an entity with several inputs; what doesn't depend on the swept inputs runs once."""

from __future__ import annotations

import re
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

import flytenb
from flytenb.cache.value_digest import ValueDigest
from flytenb.display.runs.sweep_card import _ranks
from flytenb.errors import InputError, UsageError
from flytenb.record.value_memory import ValueMemory
from flytenb.session import Session
from flytenb.session.host import host
from tests.notebook_cells import NotebookCells
from tests.waiting import PATIENCE, is_soon, wait_for

FLOW = (
    "@task\ndef load(size: int) -> list[int]:\n    note('load')\n    return [*range(size)]",
    "@task\ndef clean(xs: list[int]) -> list[int]:\n    note('clean')\n    return xs[1:]",
    "@task\ndef mean(xs: list[int]) -> float:\n    note('mean')\n    return sum(xs) / len(xs)",
    "@task\ndef spread(xs: list[int]) -> float:\n    note('spread')\n    return float(max(xs) - min(xs))",
    "@task\ndef fit(xs: list[int], mean: float, rate: float) -> float:\n    note('fit')\n    return mean * rate",
    "@task\ndef grow(at: float, depth: int) -> float:\n    note('grow')\n    return at + depth",
    "@task\ndef loss(at: float, by: float) -> float:\n    note('loss')\n    return at / by",
    """@workflow
def train(size: int, rate: float, depth: int) -> float:
    xs = clean(xs=load(size=size))
    middle, width = mean(xs=xs), spread(xs=xs)
    first = grow(at=fit(xs=xs, mean=middle, rate=rate), depth=depth)
    second = grow(at=first, depth=depth)
    third = grow(at=second, depth=depth)
    return loss(at=loss(at=third, by=width), by=width)
""",
)


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Iterator[NotebookCells]:
    monkeypatch.setitem(sys.modules, "notebook_of_cells", None)
    yield NotebookCells()


def test_nodes_that_dont_depend_on_the_swept_inputs_run_once(notebook: NotebookCells) -> None:
    notebook.run(*FLOW)
    sweep = flytenb.sweep(notebook.train, size=5, rate=[0.5, 1.0, 2.0], depth=[1, 2, 3, 4])
    assert [len(run.nodes) for run in sweep] == [10] * 12
    ran = Counter(notebook.take_ran())
    assert {name: ran[name] for name in ("load", "clean", "mean", "spread", "fit")} == {
        "load": 1,
        "clean": 1,
        "mean": 1,
        "spread": 1,
        "fit": 3,
    }
    for run, inputs in zip(sweep, sweep.inputs, strict=True):
        assert run.result == flytenb.run(notebook.train, **inputs).result
    table = sweep.sort("o0", descending=True).frame()
    assert [*table.columns] == ["rate", "depth", "phase", "o0", "seconds", "error"]
    assert [*table["o0"]] == sorted((run.result for run in sweep), reverse=True)
    assert repr(sweep).count("✓ succeeded") == 12
    assert sweep._repr_mimebundle_()["text/html"].count("<summary class") == 12


def test_the_page_has_the_cells_of_the_text_and_opens_each_run(notebook: NotebookCells) -> None:
    notebook.run("@task\ndef wf(n: int, tag: str) -> float:\n    return 6 / n")
    sweep = flytenb.sweep(notebook.wf, [{"n": n} for n in (3, 0, 2)], tag="<b>")
    html = sweep._repr_mimebundle_()["text/html"]
    lines = [_texts(line) for line in re.findall(r"<summary class.*?</summary>", html, re.S)]
    head, names, _, *rows = repr(sweep).splitlines()
    assert head == "sweep of wf · 3 runs: 2 succeeded, 1 failed · tag='<b>'"
    assert [re.split(r"  +", row.strip()) for row in rows] == [[cell for cell in line if cell] for line in lines]
    assert names.split() == ["run", "n", "phase", "o0", "took", "why"]
    assert "division by zero" in " ".join(lines[1])
    assert html.count('class="ft-show ft-run"') == 3
    assert "'<b>'" not in html


def _texts(markup: str) -> list[str]:
    markup = re.sub('<span class="ft-between">.*?</span>', "", markup)  # what keeps cells apart without styles
    return [unescape(re.sub("<[^>]*>", "", cell)) for cell in re.findall(r"<span.*?</span>", markup, re.S)]


@pytest.mark.parametrize(
    ("keys", "up", "down"),
    [
        ([2, 10, 1], [2, 0, 1], [1, 0, 2]),
        (["b", None, "a"], [2, 0, 1], [0, 2, 1]),
        ([1, "a", None], [0, 1, 2], [1, 0, 2]),
        ([float("inf"), 1.5, -1.0], [2, 1, 0], [0, 1, 2]),
    ],
)
def test_a_column_orders_by_value_and_leaves_what_has_none_last(
    keys: list[Any], up: list[int], down: list[int]
) -> None:
    ranks = _ranks(keys)
    assert sorted(range(len(keys)), key=lambda n: ranks[n][0]) == up
    assert sorted(range(len(keys)), key=lambda n: ranks[n][1]) == down


def test_the_digest_of_a_shared_output_is_made_once(notebook: NotebookCells, monkeypatch: pytest.MonkeyPatch) -> None:
    digested: list[str] = []  # threads append to it
    add = ValueDigest.add

    def note(self: ValueDigest, digest: Any, value: Any) -> None:
        digested.append(repr(value))
        add(self, digest, value)

    monkeypatch.setattr(ValueDigest, "add", note)
    notebook.run(*FLOW)
    flytenb.sweep(notebook.train, size=5, rate=[0.5, 1.0, 2.0], depth=[1, 2, 3, 4])
    assert digested.count("[0, 1, 2, 3, 4]") == 1
    assert digested.count("[1, 2, 3, 4]") == 3  # for mean, spread and fit


def test_columns_of_the_same_name_are_told_apart(notebook: NotebookCells) -> None:
    notebook.run(
        "from typing import NamedTuple",
        "class Out(NamedTuple):\n    error: int\n    seconds: int\n    n: int",
        "@task\ndef look(n: int, phase: int) -> Out:\n    return Out(n + phase, n, phase)",
    )
    frame = flytenb.sweep(notebook.look, n=[1, 2], phase=[3]).frame()
    assert frame.drop(columns="seconds").to_dict("list") == {
        "n": [1, 2],
        "phase (input)": [3, 3],
        "phase": ["SUCCEEDED", "SUCCEEDED"],
        "error (output)": [4, 5],
        "seconds (output)": [1, 2],
        "n (output)": [3, 3],
        "error": [None, None],
    }


def test_a_call_that_is_under_way_is_waited_for(notebook: NotebookCells) -> None:
    started, go_on = threading.Event(), threading.Event()
    vars(notebook.module).update(started=started, go_on=go_on, patience=PATIENCE)
    notebook.run(
        "@task\ndef slow(x: int) -> int:\n    note('slow')\n    started.set()\n    go_on.wait(patience)\n    return x",
        "@task\ndef add(x: int, y: int) -> int:\n    note(f'add {y}')\n    return x + y",
        "@workflow\ndef wf(n: int) -> int:\n    return add(x=slow(x=1), y=n)",
    )
    sweep = flytenb.start_sweep(notebook.wf, n=[1, 2, 3])
    assert started.wait(PATIENCE)
    go_on.set()
    assert [run.result for run in sweep.wait()] == [2, 3, 4]
    assert notebook.take_ran() == ["add 1", "add 2", "add 3", "slow"]


def test_a_failed_run_does_not_stop_the_others(notebook: NotebookCells) -> None:
    notebook.run("@task\ndef wf(n: int) -> float:\n    return 6 / n")
    sweep = flytenb.sweep(notebook.wf, [{"n": 0}, {"n": 1}, {"n": 2}])
    assert [str(run.phase) for run in sweep] == ["FAILED", "SUCCEEDED", "SUCCEEDED"]
    assert "division by zero" in repr(sweep)
    assert sweep.frame()["error"].isna().tolist() == [False, True, True]


def test_an_exception_that_forbids_attributes_is_the_error(notebook: NotebookCells) -> None:
    notebook.run("@dataclass(frozen=True)\nclass Frozen(Exception):\n    n: int")
    for decorator in ("@task", "@task(cache=True, cache_version='1')"):
        notebook.run(f"{decorator}\ndef wf(n: int) -> int:\n    if n: raise Frozen(n)\n    return n")
        sweep = flytenb.sweep(notebook.wf, n=[1, 2])
        assert [repr(run.error.exception) for run in sweep if run.error] == ["Frozen(n=1)", "Frozen(n=2)"]


def test_rows_may_be_a_frame(notebook: NotebookCells) -> None:
    import pandas
    import polars

    notebook.run("@task\ndef wf(n: int, m: int) -> int:\n    return n * m")
    for frame in (pandas.DataFrame({"n": [1, 2]}), polars.DataFrame({"n": [1, 2]})):
        sweep = flytenb.sweep(notebook.wf, frame, m=3)
        assert [run.result for run in sweep] == [3, 6]
        assert sweep.swept == ("n",)


def test_a_list_that_is_an_input_is_not_swept(notebook: NotebookCells) -> None:
    notebook.run("@task\ndef wf(xs: list[int], n: int) -> int:\n    return sum(xs) * n")
    assert [run.result for run in flytenb.sweep(notebook.wf, xs=[1, 2], n=[1, 2])] == [3, 6]
    assert [run.result for run in flytenb.sweep(notebook.wf, xs=[[1], [2]], n=1)] == [1, 2]


def test_cancel_ends_all_runs(notebook: NotebookCells) -> None:
    started, go_on = threading.Event(), threading.Event()
    vars(notebook.module).update(started=started, go_on=go_on, patience=PATIENCE)
    notebook.run(
        "@task\ndef wf(n: int) -> int:\n    note(n)\n    started.set()\n    go_on.wait(patience)\n    return n"
    )
    sweep = flytenb.options(workers=1).start_sweep(notebook.wf, n=[1, 2, 3])
    assert started.wait(PATIENCE)
    assert sweep.cancel().wait(PATIENCE).is_over
    go_on.set()
    assert is_soon(lambda: str(sweep[0].phase) == "ABORTED", PATIENCE)
    assert notebook.ran == [1]
    assert repr(sweep).count("■ stopped") == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [({"on_cluster": ["wf"]}, "got nodes on a cluster"), ({"resume": True}, "resume"), ({"from_node": "n0"}, "resume")],
)
def test_options_that_a_sweep_ignores_are_errors(
    options: dict[str, Any], message: str, notebook: NotebookCells
) -> None:
    notebook.run("@task\ndef wf(n: int) -> int:\n    return n")
    with pytest.raises(UsageError, match=message):
        flytenb.options(**options).sweep(notebook.wf, n=[1, 2])


@pytest.mark.parametrize(
    ("rows", "inputs", "error", "message"),
    [
        (None, {"n": 1}, UsageError, "no input is swept"),
        (None, {"n": []}, UsageError, "expected at least one value for the swept input 'n', got none"),
        (None, {"n": range(0)}, UsageError, r"got none\n  hint: n=\[…\]"),
        ([], {"n": 1}, UsageError, "no input is swept"),
        ([{"n": 1}, {"m": 1}], {}, UsageError, "row 1 has the inputs 'm'"),
        ([{"k": 1}], {"n": 1}, UsageError, "unexpected input 'k' in the rows"),
        (7, {}, UsageError, "rows must be a list of dictionaries or a frame, got 7"),
        (None, {"n": [1, "two"]}, InputError, "expected int for input 'n', got 'two'"),
    ],
)
def test_what_cant_be_swept_is_an_error(
    rows: Any, inputs: dict[str, Any], error: type[Exception], message: str, notebook: NotebookCells
) -> None:
    notebook.run("@task\ndef wf(n: int) -> int:\n    note('wf')\n    return n")
    with pytest.raises(error, match=message):
        flytenb.sweep(notebook.wf, rows, **inputs)
    assert notebook.ran == []


def test_the_runs_of_a_sweep_are_held_and_kept_as_others(
    notebook: NotebookCells, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory, session = ValueMemory(), Session()
    monkeypatch.setitem(vars(host), "memory", memory)
    monkeypatch.setattr(host, "_sessions", [session])
    monkeypatch.setattr(host, "watchers", [lambda run: lambda: None])
    notebook.run("@task\ndef make(n: int) -> str:\n    return str(n) * 100_000")
    sweep = flytenb.options(keep=str(tmp_path / "runs"), memory=200_000, workers=1).sweep(notebook.make, n=[1, 2, 3, 4])
    assert session.runs == sweep.runs
    assert host.keeper.wait()
    assert [flytenb.load_run(run.id, str(tmp_path / "runs")).result[0] for run in sweep] == [*"1234"]
    wait_for(lambda: memory.keep_within(200_000) is None and not memory._fresh)
    assert memory.total <= 200_000
    assert [run.result[0] for run in sweep] == [*"1234"]
