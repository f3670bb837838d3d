"""A resumed run takes the outputs of every node of which nothing has changed, and runs the others."""

from __future__ import annotations

import gc
import os
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas  # noqa: F401 - flytekit loads it when the first dataclass is a type
import pytest

import flytenb
from flytenb.errors import InputError, UnknownNameError, UsageError
from tests.notebook_cells import NotebookCells
from tests.waiting import wait_for

FLOW = (
    "K = 3",
    "@task\ndef up(x: int) -> int:\n    note('up')\n    return x + 1",
    "def by(x): return x * K",
    "@task\ndef times(x: int) -> int:\n    note('times')\n    return by(x)",
    "@task\ndef plus(x: int, y: int) -> int:\n    note('plus')\n    return x + y",
    "@task\ndef numbers(x: int) -> list[int]:\n    note('numbers')\n    return list(range(x))",
    "@task\ndef double(x: int) -> int:\n    note(f'double {x}')\n    return 2 * x",
    "@task\ndef total(xs: list[int]) -> int:\n    note('total')\n    return sum(xs)",
    "@workflow\ndef sub(x: int) -> int:\n    return times(x=up(x=x))",
    "@dynamic\ndef grow(x: int) -> int:\n    note('grow')\n    return up(x=up(x=x))",
    "@eager\nasync def ask(x: int) -> int:\n    note('ask')\n    return times(x=up(x=x))",
    """@workflow
def wf(n: int) -> int:
    first = up(x=n)
    second = times(x=first)
    chosen = conditional("c").if_(second > 2).then(up(x=second)).else_().then(times(x=second))
    mapped = total(xs=map_task(double)(x=numbers(x=n)))
    whole = plus(x=plus(x=sub(x=n), y=grow(x=n)), y=plus(x=create_node(ask, x=n).o0, y=mapped))
    return plus(x=plus(x=first, y=chosen), y=whole)
""",
)


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[NotebookCells]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "notebook_of_cells", None)
    yield NotebookCells()


def define(notebook: NotebookCells, *cells: str) -> Any:
    notebook.run(*cells)
    run = flytenb.run(notebook.wf, n=3)
    notebook.take_ran()
    return run


def resume(notebook: NotebookCells, run: Any, n: int = 3) -> Any:
    """Resume a run; its result is that of a run of its own."""
    resumed = flytenb.run(notebook.wf, n=n, resume=run)
    ran = notebook.take_ran()
    assert resumed.result == flytenb.run(notebook.wf, n=n).result
    notebook.take_ran()
    resumed.ran = ran
    return resumed


def test_nothing_runs_again_if_nothing_has_changed(notebook: NotebookCells) -> None:
    run = define(notebook, *FLOW)
    resumed = resume(notebook, run)
    assert resumed.ran == []
    phases = {path: (node.phase, node.outputs) for path, node in run.nodes.items()}
    assert {path: (node.phase, node.outputs) for path, node in resumed.nodes.items()} == phases
    again = resume(notebook, resumed)
    assert again.ran == []
    for path, node in again.nodes.items():
        if str(node.cache_status) == "REUSED":
            assert node.duration == run.nodes[path].duration
            assert node.resumed.startswith("re-used from the run of ")
    assert sum(str(node.cache_status) == "REUSED" for node in again.nodes.values()) == len(run.nodes) - 2  # the branch


def test_what_reaches_an_edit_runs_again_and_what_follows_it(notebook: NotebookCells) -> None:
    run = define(notebook, *FLOW)
    notebook.run("K = 4")
    resumed = resume(notebook, run)
    assert resumed.ran == ["ask", *["plus"] * 5, "times", "times", "times", "up"]
    assert resumed.nodes["n1"].resumed == "`K` was redefined"
    assert resumed.nodes["n2/n0"].resumed == "input 'x' has changed"


TIMES = ["ask", "times", "times", "times"]
GROW = FLOW[9].replace("x=up(x=x)", "x=up(x=up(x=x))")
DOUBLE = FLOW[6].replace("2 * x", "2 * x + (x == 1)")


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        pytest.param("K = 3  # as before", [], id="the same value"),
        pytest.param("def by(x): return x * K  # a comment", [], id="a comment"),
        pytest.param("K = type('Three', (int,), {})(3)", TIMES, id="a value that makes the same outputs"),
        pytest.param("def by(x): return K * x", TIMES, id="a helper that does the same"),
        pytest.param(FLOW[5].replace("range", "range  # numbers\n    "), [], id="formatting"),
        pytest.param(GROW, ["grow", "plus", "plus", "plus", "up"], id="a dynamic"),
        pytest.param(DOUBLE, ["double 0", "double 1", "double 2", *["plus"] * 3, "total"], id="an element"),
    ],
)
def test_an_equal_output_stops_the_wave(cell: str, expected: list[str], notebook: NotebookCells) -> None:
    run = define(notebook, *FLOW)
    notebook.run(cell)
    if "def" in cell:
        notebook.run(FLOW[-1])
    resumed = resume(notebook, run)
    assert resumed.ran == expected


def test_other_inputs_run_only_what_takes_them(notebook: NotebookCells) -> None:
    run = define(
        notebook,
        *FLOW[:5],
        "@workflow\ndef wf(n: int, m: int = 1) -> int:\n    return plus(x=up(x=n), y=times(x=m))",
    )
    resumed = flytenb.run(notebook.wf, n=3, m=2, resume=run)
    assert notebook.take_ran() == ["plus", "times"]
    assert resumed.result == 10


def test_a_failed_run_goes_on_where_it_failed(notebook: NotebookCells) -> None:
    workflow = "@workflow\ndef wf(n: int) -> int:\n    return total(xs=map_task(double)(x=numbers(x=up(x=n))))"
    notebook.run(*FLOW[:7], FLOW[7].replace("return", "raise ValueError\n    return"), workflow)
    run = flytenb.start(notebook.wf, n=3).wait()
    notebook.take_ran()
    notebook.run(FLOW[7], workflow)
    resumed = resume(notebook, run)
    assert resumed.ran == ["total"]
    assert resumed.nodes["n3"].resumed.startswith("it failed in the run of ")


AFTER_FIRST = """@workflow
def wf(n: int) -> int:
    first = up(x=n)
    mapped = total(xs=map_task(double)(x=numbers(x=first)))
    return plus(x=plus(x=sub(x=first), y=grow(x=first)), y=plus(x=create_node(ask, x=first).o0, y=mapped))
"""


@pytest.mark.parametrize(("edit", "expected"), [("", []), ("K = type('Three', (int,), {})(3)", TIMES[:-1])])
def test_what_a_run_that_ended_early_lacks_is_taken_from_a_good_one(
    edit: str, expected: list[str], notebook: NotebookCells
) -> None:
    good = define(notebook, *FLOW[:-1], AFTER_FIRST)
    notebook.run(FLOW[1].replace("return", "raise ValueError\n    return"), *FLOW[8:-1], AFTER_FIRST)
    failed = flytenb.start(notebook.wf, n=3).wait()
    assert notebook.take_ran() == ["up"]
    notebook.run(FLOW[1], *FLOW[8:-1], AFTER_FIRST, edit)
    resumed = flytenb.run(notebook.wf, n=3, resume=True)
    assert notebook.take_ran() == expected
    assert resumed.result == good.result
    followed = flytenb.options()._following(failed, good).run(notebook.wf, n=3)
    assert notebook.take_ran() == expected
    assert {p: n.cache_status for p, n in followed.nodes.items()} == {
        p: n.cache_status for p, n in resumed.nodes.items()
    }
    assert resumed.nodes.keys() == good.nodes.keys()
    assert expected or {str(node.cache_status) for node in resumed.nodes.values()} == {"REUSED"}


def test_only_the_failed_elements_of_a_map_run_again(notebook: NotebookCells, tmp_path: Path) -> None:
    notebook.run(
        FLOW[5],
        "@task\ndef double(x: int) -> int:\n    note(f'double {x}')\n"
        "    if x == 1: open(chr(97)).close()\n    return 2 * x",
        "@workflow\ndef wf(n: int) -> list[int]:\n    return map_task(double)(x=numbers(x=n))",
    )
    run = flytenb.options(workers=1).start(notebook.wf, n=3).wait()
    assert notebook.take_ran() == ["double 0", "double 1", "numbers"]
    (tmp_path / "a").touch()
    resumed = flytenb.run(notebook.wf, n=3, resume=run)
    assert notebook.take_ran() == ["double 1", "double 2"]
    assert resumed.result == [0, 2, 4]


def test_files_that_a_task_read_count(notebook: NotebookCells, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1")
    run = define(
        notebook,
        "@task\ndef read(n: int) -> int:\n    note('read')\n"
        "    with open(chr(97) + '.txt') as file: return n + int(file.read())",
        "@workflow\ndef wf(n: int) -> int:\n    return read(n=n)",
    )
    assert resume(notebook, run).ran == []
    (tmp_path / "a.txt").write_text("2")
    resumed = resume(notebook, run)
    assert resumed.ran == ["read"]
    assert resumed.nodes["n0"].resumed == "file 'a.txt' has changed"


def test_code_that_cant_be_proven_unchanged_runs_again(notebook: NotebookCells) -> None:
    run = define(
        notebook,
        "@task\ndef read(n: int) -> int:\n    note('read')\n    return eval('n + 1')",
        "@workflow\ndef wf(n: int) -> int:\n    return read(n=n)",
    )
    resumed = resume(notebook, run)
    assert resumed.ran == ["read"]
    assert "eval() may read anything" in resumed.nodes["n0"].resumed


def test_a_node_of_another_policy_runs_again(notebook: NotebookCells) -> None:
    run = define(notebook, *FLOW[:2], "@workflow\ndef wf(n: int) -> int:\n    return up(x=n)")
    notebook.run("@workflow\ndef wf(n: int) -> int:\n    return up(x=n).with_overrides(retries=2)")
    resumed = resume(notebook, run)
    assert resumed.ran == ["up"]
    assert resumed.nodes["n0"].resumed == "its settings have changed"


def test_code_counts_as_it_was_when_the_node_ran(notebook: NotebookCells) -> None:
    run = define(
        notebook,
        "seen = [1]",
        "@task\ndef look(n: int) -> int:\n    note('look')\n    return n + seen[-1]",
        "@workflow\ndef wf(n: int) -> int:\n    return look(n=n)",
    )
    notebook.run("seen.append(2)")
    assert resume(notebook, run).ran == ["look"]
    notebook.run("seen.pop()")
    assert resume(notebook, run).ran == []


def test_a_reused_value_is_a_copy(notebook: NotebookCells) -> None:
    run = define(
        notebook,
        "@task\ndef make(n: int) -> list[int]:\n    return [n]",
        "factor = 1",
        "@task\ndef spoil(xs: list[int]) -> int:\n    xs.append(factor)\n    return sum(xs)",
        "@workflow\ndef wf(n: int) -> int:\n    return spoil(xs=make(n=n))",
    )
    for factor in (2, 3):
        notebook.run(f"factor = {factor}")
        resumed = resume(notebook, run)
        assert resumed.result == 3 + factor
        assert resumed.nodes["n0"].outputs == run.nodes["n0"].outputs == {"o0": [3]}


def test_a_value_that_is_gone_is_a_reason_to_run(notebook: NotebookCells) -> None:
    run = define(notebook, *FLOW[:4], "@workflow\ndef wf(n: int) -> int:\n    return times(x=up(x=n))")
    values = run.nodes["n0"]._record.wires.values
    values["n0", "o0"] = None
    resumed = resume(notebook, run)
    assert resumed.ran == ["times", "up"]
    assert "isn't kept any more" in resumed.nodes["n0"].resumed


@pytest.mark.parametrize("flow", ["@workflow\ndef", "@dynamic\ndef", "@eager\nasync def"])
def test_values_that_were_forgotten_are_made_again(flow: str, notebook: NotebookCells) -> None:
    run = define(notebook, *FLOW[:4], f"{flow} wf(n: int) -> int:\n    return times(x=up(x=n))")
    run.forget()
    resumed = flytenb.run(notebook.wf, n=3, resume=run)
    assert [name for name in notebook.take_ran() if name != "wf"] == ["times", "up"]
    assert resumed.result == 12


def test_classes_that_were_defined_again_cross_as_they_are_now(notebook: NotebookCells) -> None:
    cells = (
        "@dataclass\nclass Point:\n    x: int",
        "@task\ndef make(n: int) -> Point:\n    note('make')\n    return Point(n)",
        "@task\ndef take(p: Point) -> int:\n    note('take')\n    assert isinstance(p, Point)\n    return p.x + K",
        "@workflow\ndef wf(n: int) -> int:\n    return take(p=make(n=n))",
    )
    run = define(notebook, "K = 1", *cells)
    notebook.run("K = 2", *cells)
    resumed = resume(notebook, run)
    assert resumed.ran == ["take"]
    assert resumed.result == 5


def test_gates_ask_again_unless_their_answers_are_kept(notebook: NotebookCells) -> None:
    notebook.run(
        *FLOW[:2],
        "from datetime import timedelta",
        "@workflow\ndef wf(n: int) -> int:\n"
        "    return up(x=wait_for_input('size', timeout=timedelta(hours=1), expected_type=int))",
    )
    run = flytenb.options(answers={"size": 1}).run(notebook.wf, n=3)
    assert notebook.take_ran() == ["up"]
    assert flytenb.options(answers={"size": 2}).run(notebook.wf, n=3, resume=run).result == 3
    assert notebook.take_ran() == ["up"]
    kept = flytenb.options(keep_answers=True).run(notebook.wf, n=3, resume=run)
    assert kept.result == 2
    assert notebook.take_ran() == []


def test_a_node_and_what_follows_it_run_again_if_asked(notebook: NotebookCells) -> None:
    run = define(notebook, *FLOW)
    options = flytenb.options(resume=run, from_node="total")
    options.run(notebook.wf, n=3)
    assert notebook.take_ran() == ["plus", "plus", "plus", "total"]
    notebook.run("K = 4")
    resumed = options.run(notebook.wf, n=3)
    assert notebook.take_ran() == ["plus", "plus", "plus", "total"]
    assert "although" not in resumed.nodes["n0"].resumed
    assert resumed.nodes["n1"].resumed.endswith(", although `K` was redefined")


def test_a_node_inside_of_others_runs_again_if_asked(notebook: NotebookCells) -> None:
    run = define(notebook, *FLOW)
    inner = next(path for path in run.nodes if path.endswith("/dn1"))
    flytenb.options(resume=run, from_node=inner).run(notebook.wf, n=3)
    assert notebook.take_ran() == ["plus", "plus", "plus", "up"]


def test_a_node_runs_alone_on_its_inputs_of_the_last_run(notebook: NotebookCells) -> None:
    run = define(notebook, *FLOW)
    notebook.run(FLOW[7].replace("sum(xs)", "-sum(xs)"))
    alone = flytenb.options(resume=run, only_node="total").run(notebook.wf)
    assert alone.result == -6
    assert notebook.take_ran() == ["total"]
    with pytest.raises(UsageError, match="which had n=3, got n=4"):
        flytenb.options(resume=run, only_node="total").run(notebook.wf, n=4)


@pytest.mark.parametrize("from_node", ["", "n1"])
def test_outputs_that_were_set_are_not_re_used(from_node: str) -> None:
    cells = NotebookCells()
    cells.run(
        "@task\ndef up(x: int) -> int:\n    return x + 1",
        "@task\ndef ten(x: int) -> int:\n    return 10 * x",
        "@workflow\ndef wf(n: int) -> int:\n    return ten(x=up(x=n))",
    )
    changed = flytenb.options(outputs={"n0.o0": 7}).run(cells.wf, n=1)
    assert changed.result == 70
    resumed = flytenb.options(resume=changed, from_node=from_node).run(cells.wf, n=1)
    assert resumed.result == 20
    assert resumed.nodes["n0"].resumed.startswith("its outputs were set in the run of ")


def test_an_output_can_be_set(notebook: NotebookCells) -> None:
    run = define(notebook, *FLOW)
    expected = run.result
    changed = flytenb.options(outputs={"total.o0": 106}).run(notebook.wf, n=3)
    assert changed.result == expected + 100
    assert notebook.take_ran() == ["plus", "plus", "plus"]
    assert changed.nodes["total"].resumed == "its outputs were set"
    assert changed.nodes["total"].outputs == {"o0": 106}
    inner = run.nodes["sub"]
    whole = flytenb.options(outputs={"sub.o0": inner.outputs["o0"] + 1}).run(notebook.wf, n=3, resume=run)
    assert whole.result == expected + 1
    assert f"{inner.path}/n0" not in whole.nodes
    notebook.take_ran()


@pytest.mark.parametrize(
    ("outputs", "error", "message"),
    [
        ({"total.o0": "six"}, InputError, "expected int for input 'n5.o0', got 'six'"),
        ({"total.o1": 6}, UnknownNameError, r"node 'n5' \(total\) has no output 'o1'"),
        ({"totl.o0": 6}, UnknownNameError, "no node 'totl' to set 'totl.o0'"),
        ({"total": 6}, UnknownNameError, "expected NODE.OUTPUT, got 'total'"),
        ({"n2.o0": 6}, InputError, "'n2' has the outputs of one of its cases"),
        ({"plus.o0": 6}, UnknownNameError, "no node 'plus' to set"),
    ],
)
def test_outputs_that_cant_be_set_are_errors(
    outputs: dict[str, Any], error: type[Exception], message: str, notebook: NotebookCells
) -> None:
    notebook.run(*FLOW)
    with pytest.raises(error, match=message):
        flytenb.options(outputs=outputs).run(notebook.wf, n=3)


def test_errors_name_what_was_asked(notebook: NotebookCells) -> None:
    notebook.run(*FLOW)
    with pytest.raises(UsageError, match="there is no run of 'sub' to resume"):
        flytenb.run(notebook.sub, x=3, resume=True)
    run = flytenb.run(notebook.wf, n=3)
    with pytest.raises(UsageError, match="resume must be a run of 'sub', got <Run of wf"):
        flytenb.run(notebook.sub, x=3, resume=run)
    with pytest.raises(UsageError, match="resume must be a run, True or False, got 7"):
        flytenb.run(notebook.wf, n=3, resume=7)
    with pytest.raises(UnknownNameError, match="no node 'totl' in the run of 'wf'"):
        flytenb.options(resume=run, from_node="totl").run(notebook.wf, n=3)


def test_an_input_may_be_called_resume(notebook: NotebookCells) -> None:
    notebook.run("@task\ndef wf(resume: bool) -> int:\n    return int(resume)")
    assert flytenb.run(notebook.wf, resume=True).result == 1


@pytest.mark.parametrize("size", [1, 100_000])
def test_files_of_the_user_count_as_they_were(size: int, notebook: NotebookCells, tmp_path: Path) -> None:
    """An input may refer to the user's own file, which is changed in place after the run."""
    file = tmp_path / "a.txt"
    file.write_text("1".rjust(size))
    notebook.run(
        "from pathlib import Path",
        "from flytekit.types.file import FlyteFile",
        "@dataclass\nclass Holder:\n    file: FlyteFile",
        "@task\ndef read(n: int, f: FlyteFile) -> int:\n    note('read')\n    return n + int(Path(f).read_text())",
        "@task\ndef each(files: list[FlyteFile]) -> int:\n    note('each')\n    return int(Path(files[0]).read_text())",
        "@task\ndef held(h: Holder) -> int:\n    note('held')\n    return int(Path(h.file).read_text())",
        "@task\ndef other(n: int) -> int:\n    note('other')\n    return n",
        f"@workflow\ndef wf(n: int, a: FlyteFile, fs: list[FlyteFile], h: Holder, b: FlyteFile = {str(file)!r})"
        " -> tuple[int, int, int, int]:\n"
        "    return read(n=read(n=n, f=a), f=b), each(files=fs), held(h=h), other(n=n)",
    )
    inputs = {"n": 3, "a": str(file), "fs": [str(file)], "h": notebook.Holder(notebook.FlyteFile(str(file)))}
    run = flytenb.run(notebook.wf, **inputs)
    assert notebook.take_ran() == ["each", "held", "other", "read", "read"]
    flytenb.run(notebook.wf, **inputs, resume=run)
    assert notebook.take_ran() == []
    file.write_text("2".rjust(size))
    os.utime(file, (1, 1))  # a file system's clock ticks every few milliseconds
    resumed = flytenb.run(notebook.wf, **inputs, resume=run)
    assert notebook.take_ran() == ["each", "held", "read", "read"]
    assert [*resumed.result] == [7, 2, 2, 3]
    assert resumed.nodes["n0"].resumed == "input 'f' has changed"


IN_FIELD = "Path(v.folder, chr(97))"
FILE = "FlyteFile(os.path.join('data', chr(97)), remote_path=False)"  # the code doesn't say which file it is
INSIDE = ("@dynamic\ndef", "@eager\nasync def")
OWN_FILES = {
    "a file": ("FlyteFile", FILE, "v"),
    "a list": ("list[FlyteFile]", f"[{FILE}]", "v[0]"),
    "a dict": ("dict[str, FlyteFile]", f"{{'a': {FILE}}}", "v['a']"),
    "an optional file": ("FlyteFile | None", FILE, "v"),
    "a field": ("Holder", f"Holder({FILE}, FlyteDirectory('data', remote_directory=False))", "v.file"),
    "a directory in a field": ("Holder", f"Holder({FILE}, FlyteDirectory('data', remote_directory=False))", IN_FIELD),
    "a directory": ("FlyteDirectory", "FlyteDirectory('data', remote_directory=False)", "Path(v, chr(97))"),
    "a path": ("os.PathLike", "Path('data') / chr(97)", "v"),
}


@pytest.mark.parametrize(
    ("kind", "place"), [*((kind, "@task\ndef") for kind in OWN_FILES), *(("a file", each) for each in INSIDE)]
)
def test_files_of_the_user_that_a_task_returns_count_as_they_were(
    kind: str, place: str, notebook: NotebookCells, tmp_path: Path
) -> None:
    declared, made, opened = OWN_FILES[kind]
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "a"
    file.write_text("1")
    notebook.run(
        "import os\nfrom pathlib import Path",
        "from flytekit.types.file import FlyteFile\nfrom flytekit.types.directory import FlyteDirectory",
        "@dataclass\nclass Holder:\n    file: FlyteFile\n    folder: FlyteDirectory",
        f"@task\ndef make(n: int) -> {declared}:\n    note('make')\n    return {made}",
        f"@task\ndef read(v: {declared}) -> int:\n    note('read')\n    return int(Path({opened}).read_text())",
        "@workflow\ndef wf(n: int) -> int:\n    return read(v=make(n=n))"
        if place.startswith("@task")
        else f"{place} inner(n: int) -> {declared}:\n    return make(n=n)\n"
        "@workflow\ndef wf(n: int) -> int:\n    return read(v=create_node(inner, n=n).o0)",
    )
    run = flytenb.run(notebook.wf, n=3)
    assert (notebook.take_ran(), run.result) == (["make", "read"], 1)
    flytenb.run(notebook.wf, n=3, resume=run)
    assert notebook.take_ran() == []
    file.write_text("2")
    assert flytenb.run(notebook.wf, n=3, resume=run).result == 2


def test_the_nodes_of_a_dynamic_call_what_is_defined_now(notebook: NotebookCells) -> None:
    run = define(notebook, *FLOW)
    inner = next(path for path in run.nodes if path.endswith("/dn1"))
    notebook.run(FLOW[1].replace("x + 1", "x + 100"))
    resumed = flytenb.options(resume=run, from_node=inner).run(notebook.wf, n=3)
    assert notebook.take_ran() == ["grow", "plus", "plus", "plus", "up"]
    assert resumed.nodes[inner].outputs == {"o0": 104}


def test_a_run_does_not_keep_those_before_it(notebook: NotebookCells) -> None:
    run = define(notebook, *FLOW[:2], "@workflow\ndef wf(n: int) -> int:\n    return up(x=n)")
    first = weakref.ref(run)
    run = flytenb.run(notebook.wf, n=3, resume=run)
    assert run.nodes["n0"].resumed.startswith("re-used")
    wait_for(lambda: gc.collect() >= 0 and first() is None)  # a thread of the run may still end
