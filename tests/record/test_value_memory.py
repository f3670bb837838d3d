"""The values of ended runs stay within a limit, and are freed with what holds them."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from flytekit import task, workflow
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from IPython.core.interactiveshell import InteractiveShell

import flytenb
from flytenb import api
from flytenb.bridge.crossing import packer
from flytenb.bridge.crossing.value_sizes import size_of
from flytenb.errors import AbsentValueError, FlytenbError
from flytenb.notebook.held_runs import HeldRuns
from flytenb.record import value_memory
from flytenb.record.value_memory import ValueMemory
from flytenb.runner.absent import Absent
from flytenb.runner.held_values import values_of
from flytenb.runner.run import Run
from flytenb.runner.sizes import machine_memory, memory_limit
from flytenb.session import Session
from flytenb.session.host import host
from tests.notebook_cells import NotebookCells
from tests.waiting import PATIENCE, wait_for

MB = 1_000_000


@task
def ones(count: int) -> np.ndarray:
    return np.ones(count)


@task
def passed_on(x: np.ndarray) -> np.ndarray:
    return x


@task
def total(x: np.ndarray) -> float:
    return float(x.sum())


@workflow
def summed(count: int) -> tuple[np.ndarray, float]:
    made = ones(count=count)
    return made, total(x=made)


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> ValueMemory:
    """That of a process without other runs."""
    made = ValueMemory()
    monkeypatch.setitem(vars(host), "memory", made)
    return made


def run_within(limit: int, entity: Any, **inputs: Any) -> Run:
    return flytenb.options(memory=limit).run(entity, **inputs)


def look(memory: ValueMemory, limit: int) -> int:
    """The bytes in memory once all runs that have ended are looked at."""
    wait_for(lambda: memory.keep_within(limit) is None and not memory._fresh)
    return memory.total


# --- sizes ------------------------------------------------------------------------------------------------------------


@dataclass
class Row:
    name: str
    cells: list[int]


COLUMNS = pd.DataFrame({"a": np.arange(1000), "b": np.arange(1000.0), "c": [f"text {n}" for n in range(1000)]})
SIZES: dict[str, tuple[Any, Any, float]] = {
    "array": (np.ndarray, np.zeros(1000), 8_000),
    "frame": (pd.DataFrame, COLUMNS, float(COLUMNS.memory_usage(deep=True).sum())),
    "text": (str, "x" * 5000, sys.getsizeof("x" * 5000)),
    "integers": (list[int], [*range(10_000, 20_000)], 10_000 * (8 + 28)),
    "texts": (list[str], ["x" * 500 + str(n) for n in range(2000)], 2000 * (8 + 553)),
    "dataclasses": (
        list[Row],
        [Row("x" * 100, [1, 2, 3]) for _ in range(500)],
        500 * (8 + sys.getsizeof("x" * 100) + sys.getsizeof([1, 2, 3]) + 48),
    ),
    "dict": (dict[str, list[float]], {str(n): [0.5] * 100 for n in range(100)}, 100 * (50 + 856 + 100 * 24)),
    "scalar": (int, 7, 28),
}


@pytest.mark.parametrize("name", SIZES)
def test_a_size_is_about_that_of_its_objects(name: str) -> None:
    declared, value, expected = SIZES[name]
    assert 0.5 < size_of([packer(declared)(value)]).total / expected < 2


def test_what_several_values_share_counts_once(memory: ValueMemory) -> None:
    shared = packer(np.ndarray)(np.zeros(1000))
    once = size_of([shared]).total
    assert size_of([shared] * 5).total == once
    held = shared.held  # type: ignore[attr-defined]
    views = [packer(np.ndarray)(held) for _ in range(2)]
    for view in views:
        view.held = held[10:]  # type: ignore[attr-defined]
    assert size_of([shared, *views]).total == once


def test_a_large_container_is_sampled(memory: ValueMemory) -> None:
    reads = 0

    class Counted(list[Any]):
        def __iter__(self) -> Iterator[Any]:
            raise AssertionError("all elements are read")

        def __getitem__(self, at: Any) -> Any:
            nonlocal reads
            found = super().__getitem__(at)
            reads += len(found)
            return found

    value = packer(list[int])([1])
    value.held = Counted([0] * 100_000)  # type: ignore[attr-defined]
    assert size_of([value]).total > 100_000 * 8
    assert reads <= 64


# --- the limit --------------------------------------------------------------------------------------------------------


def test_the_oldest_values_go_to_disk_and_come_back_equal(memory: ValueMemory) -> None:
    limit = 3 * MB
    runs = [run_within(limit, summed, count=100_000 + n) for n in range(8)]
    assert look(memory, limit) <= limit
    moved = [run for run in runs if size_of([run._plan.outputs["o0"]]).total == 0]  # type: ignore[list-item]
    assert len(moved) >= 4
    assert moved == runs[: len(moved)]
    for n, run in enumerate(runs):
        assert (run.result[0] == np.ones(100_000 + n)).all()
        assert run.result[1] == run.nodes["total"].outputs["o0"] == 100_000 + n
        assert (run.nodes["total"].inputs["x"] == 1).all()
        assert run.inputs == {"count": 100_000 + n}
        assert run.nodes["ones"].note == ""
    assert not runs[0].compare(run_within(limit, summed, count=100_000)).differences


def test_a_value_that_cant_be_written_is_dropped_with_a_note(
    memory: ValueMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("flytenb.record.value_memory.write_value", full)
    run = run_within(MB, summed, count=1_000_000)
    assert look(memory, MB) <= MB
    note = "the value was dropped to stay within 1.0 MB; %config FlyteMagics.memory"
    assert run.nodes["ones"].note == note
    assert note in repr(run.nodes["ones"])
    assert isinstance(run.outputs["o0"], Absent)
    assert run.outputs["o1"] == 1_000_000
    with pytest.raises(AbsentValueError, match="dropped to stay within"):
        _ = run.result
    assert note in flytenb.show(run).text


def test_the_values_on_disk_have_a_limit_too(memory: ValueMemory) -> None:
    runs = [run_within(MB, summed, count=200_000) for _ in range(12)]
    look(memory, MB)
    held = [not isinstance(run.outputs["o0"], Absent) for run in runs]
    assert held == sorted(held)
    assert 1 <= sum(held) <= 4
    assert memory._root is not None
    assert sum(path.stat().st_size for path in memory._root.rglob("*") if path.is_file()) <= 8 * MB


def test_a_run_that_nothing_holds_counts_no_more_and_its_files_are_removed(memory: ValueMemory) -> None:
    runs = [run_within(MB, summed, count=200_000) for _ in range(2)]
    look(memory, MB)
    assert memory._root is not None
    assert [*memory._root.iterdir()]
    held = [weakref.ref(run) for run in runs]
    del runs
    # A thread may hold one a moment longer, and then it is that thread that frees it.
    wait_for(lambda: gc.collect() >= 0 and all(run() is None for run in held))
    wait_for(lambda: memory.total == 0)
    wait_for(lambda: not [*memory._root.iterdir()])


def test_a_running_run_keeps_its_values(memory: ValueMemory) -> None:
    from threading import Event

    goes_on = Event()

    @task
    def waits(x: np.ndarray) -> float:
        goes_on.wait(PATIENCE)
        return float(x.sum())

    @workflow
    def slow(count: int) -> float:
        return waits(x=ones(count=count))

    run = flytenb.options(memory=0).start(slow, count=100_000)
    wait_for(lambda: run.nodes["ones"].phase.is_terminal)
    memory.keep_within(0)
    assert run.nodes["ones"].note == ""
    assert size_of([value for value in run._plan.values.values() if value is not None]).total > 800_000  # type: ignore[attr-defined]
    goes_on.set()
    assert run.wait().result == 100_000
    assert look(memory, 0) == 0


def hold_many(count: int, size: int, limit: int) -> tuple[int, int]:
    """Hold runs; return the most bytes that their values took, and how many runs still have their values."""
    runs, peak = [], 0
    for _ in range(count):
        runs.append(run_within(limit, summed, count=size // 8))
        host.memory.keep_within(limit)
        peak = max(peak, host.memory.total)
    return peak, sum(not run.nodes["ones"].note for run in runs)


def test_many_held_runs_stay_within_the_limit(memory: ValueMemory) -> None:
    peak, held = hold_many(40, 2 * MB, 10 * MB)
    assert peak <= 10 * MB
    assert 5 <= held < 40


MANY = """
import resource
from tests.record.test_value_memory import MB, hold_many

resource.setrlimit(resource.RLIMIT_DATA, (2_000 * MB, 2_000 * MB))
peak, held = hold_many(1000, 4 * MB, 20 * MB)
assert peak <= 20 * MB, peak
assert 5 <= held < 1000, held
"""


@pytest.mark.slow
def test_a_thousand_held_runs_with_four_gigabytes_run_in_two() -> None:
    done = subprocess.run([sys.executable, "-c", MANY], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# --- forgetting -------------------------------------------------------------------------------------------------------


def test_forgotten_values_are_absent_and_facts_stay(memory: ValueMemory) -> None:
    run = run_within(10 * MB, summed, count=100)
    assert run.forget() is run
    assert run.phase == "SUCCEEDED"
    assert {type(value) for value in [*run.outputs.values(), *run.inputs.values()]} == {Absent}
    assert run.nodes["ones"].note == "the values of the run were forgotten"
    assert isinstance(run.nodes["total"].inputs["x"], Absent)
    assert size_of([v for v in run._plan.values.values() if v is not None]).total == 0  # type: ignore[attr-defined]
    assert "forgotten" in flytenb.show(run).text
    assert [d.problem for d in run.compare(run_within(10 * MB, summed, count=100)).differences]


def test_all_ended_runs_of_a_session_are_forgotten(memory: ValueMemory) -> None:
    session = Session()
    session.keep(run_within(10 * MB, summed, count=1))
    session.keep(run_within(10 * MB, summed, count=2))
    api.forget(session, [session.runs[0]])
    assert [isinstance(run.outputs["o1"], Absent) for run in session.runs] == [True, False]
    api.forget(session)
    assert all(isinstance(run.outputs["o1"], Absent) for run in session.runs)


def test_a_run_that_isnt_over_cant_be_forgotten() -> None:
    flow = flytenb.options().start(ones, count=1)
    flow.wait()
    made = Run(ones, {"count": 1}, flytenb.Settings())
    with pytest.raises(FlytenbError, match="not over yet"):
        made.forget()


# --- what holds a run -------------------------------------------------------------------------------------------------


class Notebook:
    """A shell, with the session and the looks after cells of the extension."""

    def __init__(self) -> None:
        self.shell = InteractiveShell()
        self.session = Session()
        self.held = HeldRuns(self.session, self.shell)
        self.shell.events.register("post_run_cell", lambda _: self.held.look())
        self.shell.user_ns["start"] = self.start

    def start(self) -> Run:
        run = flytenb.run(summed, count=200_000)
        self.session.keep(run)
        return run

    def cell(self, code: str) -> None:
        self.shell.run_cell(code, store_history=True).raise_error()

    def is_freed(self) -> bool:
        """Whether the first run's values are gone after one more cell."""
        self.cell("pass")
        return self.session.runs[0].nodes["ones"].note != ""


@pytest.fixture
def notebook(memory: ValueMemory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # a shell replaces it
    made = Notebook()
    yield made
    made.shell.reset(new_session=False)


FREED = {
    "a variable": ["run = start()", "del run"],
    "a displayed run": ["run = start()", "run", "1", "run", "del run"],
    "another value": ["run = start()", "run = 1"],
    "a list": ["runs = [start()]", "runs[0]", "runs.clear()"],
    "a result without a variable": ["start()", "%reset -f"],
    "reset": ["run = start()", "run", "%reset -f"],
}
HELD = {
    "a variable": ["run = start()", "run", "1"],
    "the result of a cell": ["start()", "1", "2", "3", "4"],
    "another variable": ["run = start()", "other = run", "del run"],
    "a container": ["runs = {'a': [start()]}", "run = runs['a'][0]", "del run"],
    "a closure": ["run = start()", "look = (lambda held: lambda: held)(run)", "del run"],
    "nothing that ever held it": ["start(); 1", "2"],
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("cells", FREED.values(), ids=FREED)
def test_values_are_freed_with_the_last_variable(cells: list[str], notebook: Notebook) -> None:
    for code in cells[:-1]:
        notebook.cell(code)
    # A thread may hold the run for a moment.
    wait_for(lambda: not notebook.is_freed() and has_settled(notebook))
    notebook.cell(cells[-1])
    wait_for(notebook.is_freed)


def has_settled(notebook: Notebook) -> bool:
    """Whether the run is held by what the cells did, and by no thread."""
    run = notebook.session.runs[0]
    return run in notebook.held._before and host.memory.keep_within(100 * MB) is None


@pytest.mark.sampled(3)
@pytest.mark.parametrize("cells", HELD.values(), ids=HELD)
def test_values_stay_while_something_holds_the_run(cells: list[str], notebook: Notebook) -> None:
    for code in cells:
        notebook.cell(code)
    assert not notebook.is_freed()
    assert not notebook.is_freed()


# --- the machine ------------------------------------------------------------------------------------------------------


def test_the_limit_of_a_control_group_counts(tmp_path: Path) -> None:
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    own, root = tmp_path / "own", tmp_path / "groups"
    (root / "a" / "b").mkdir(parents=True)
    own.write_text("0::/a/b\n")
    assert machine_memory(root, own) == physical
    machine_memory.cache_clear()
    (root / "a" / "b" / "memory.max").write_text("max\n")
    (root / "a" / "memory.max").write_text(f"{100 * MB}\n")
    assert machine_memory(root, own) == min(physical, 100 * MB)
    machine_memory.cache_clear()
    (root / "memory" / "c").mkdir(parents=True)
    own.write_text("4:cpu,cpuacct:/x\n3:memory:/c\n")
    (root / "memory" / "c" / "memory.limit_in_bytes").write_text(f"{50 * MB}\n")
    assert machine_memory(root, own) == min(physical, 50 * MB)
    machine_memory.cache_clear()
    assert machine_memory(root, tmp_path / "nothing") == physical
    machine_memory.cache_clear()


def test_a_limit_is_a_size_or_a_share() -> None:
    assert [memory_limit(value) for value in (5, "2 GB", "1.5kB", "0 B")] == [5, 2 * 10**9, 1500, 0]
    assert memory_limit("50%") == machine_memory() // 2


@task
def named(n: int) -> dict[str, str]:
    return {"b": n * "x", "c": "", "a": "y"}


def test_the_keys_of_a_dict_on_disk_have_their_order(memory: ValueMemory) -> None:
    run = run_within(4000, named, n=5000)
    assert look(memory, 4000) < 4000
    assert [*run.result] == ["b", "c", "a"]


# --- what comes back from disk ----------------------------------------------------------------------------------------

KINDS: dict[str, tuple[str, str]] = {
    "an int": ("int", "7"),
    "a float": ("float", "-0.0"),
    "not a number": ("float", "float('nan')"),
    "a text": ("str", "'a\\r\\n\\x00\\u00e9\\U0001f600'"),
    "a time": ("datetime", "datetime(2020, 1, 2, 3, 4, 5, 678, tzinfo=UTC)"),
    "a date": ("date", "date(2020, 1, 2)"),
    "a span": ("timedelta", "timedelta(days=-3, microseconds=1)"),
    "a list": ("list[list[int]]", "[[1], [], [2]]"),
    "floats": ("list[float]", "[0.1, float('inf'), 1e-320]"),
    "a dict": ("dict[str, dict[str, int]]", "{'b': {'z': 1, 'a': 2}, 'a': {}}"),
    "a dataclass": ("Point", "Point(1, {'b': 0.1, 'a': -0.0}, None)"),
    "dataclasses": ("list[Point]", "[Point(n, {}, 'x') for n in range(3)]"),
    "an enumeration": ("Colour", "Colour.RED"),
    "none": ("int | None", "None"),
    "a union": ("int | str", "'1'"),
    "an array": ("np.ndarray", "np.arange(6.0).reshape(2, 3)"),
    "an array by columns": ("np.ndarray", "np.asfortranarray(np.arange(6).reshape(2, 3))"),
    "an array of no items": ("np.ndarray", "np.empty((0, 3), 'f4')"),
    "an array of one item": ("np.ndarray", "np.array(3.5)"),
    "an array of big endians": ("np.ndarray", "np.arange(3, dtype='>i4')"),
    "an array of records": ("np.ndarray", "np.array([(1, 2.5)], dtype=[('a', 'i4'), ('b', 'f8')])"),
    "an array of times": ("np.ndarray", "np.array(['2020-01-01', 'NaT'], 'M8[ns]')"),
    "an array of texts": ("np.ndarray", "np.array(['a', 'bcd'])"),
    "a frame": ("pd.DataFrame", "pd.DataFrame({'b': [1, 2], 'a': [0.1, None]})"),
    "a frame of categories": ("pd.DataFrame", "pd.DataFrame({'a': pd.Categorical(['x', 'y', 'x'], ['y', 'x'])})"),
    "a frame with an index": ("pd.DataFrame", "pd.DataFrame({'a': [1, 2]}, index=pd.Index(['x', 'y'], name='k'))"),
    "a frame with two indexes": (
        "pd.DataFrame",
        "pd.DataFrame({'a': [1, 2]}, index=pd.MultiIndex.from_tuples([('x', 1), ('y', 2)], names=['k', 'n']))",
    ),
    "a frame of lists": ("pd.DataFrame", "pd.DataFrame({'a': [[1], [2, 3]]})"),
    "a frame of nullable numbers": ("pd.DataFrame", "pd.DataFrame({'a': pd.array([1, None], 'Int64')})"),
    "a frame with attributes": ("pd.DataFrame", "with_attributes(pd.DataFrame({'a': [1]}))"),
    "a frame with numbered columns": ("pd.DataFrame", "pd.DataFrame([[1, 2]])"),
    "a frame of times": ("pd.DataFrame", "pd.DataFrame({'a': pd.date_range('2020', periods=2, tz='Europe/Berlin')})"),
    "a file": ("FlyteFile", "FlyteFile(written('a'))"),
    "a directory": ("FlyteDirectory", "FlyteDirectory(str(Path(written('a')).parent))"),
    "files": ("list[FlyteFile]", "[FlyteFile(written('a')), FlyteFile(written('b'))]"),
}
DEFINITIONS = """
import enum, tempfile
import numpy as np
import pandas as pd
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
@dataclass
class Point:
    x: int
    y: dict[str, float]
    z: str | None
class Colour(enum.Enum):
    RED = 'red'
def written(text):
    path = Path(tempfile.mkdtemp()) / 'a.txt'
    path.write_text(text)
    return str(path)
def with_attributes(frame):
    frame.attrs['unit'] = 'm'
    return frame
"""


def seen(value: Any) -> object:
    """All that a task sees of a value, as something that can be compared."""
    if isinstance(value, list):
        return [seen(each) for each in value]
    if isinstance(value, FlyteDirectory):
        return sorted((path.name, path.read_bytes()) for path in Path(value.download()).iterdir())
    if isinstance(value, FlyteFile):
        return Path(value.download()).read_bytes()
    if isinstance(value, np.ndarray):
        return type(value), value.dtype, value.shape, value.flags.f_contiguous, repr(value)
    if isinstance(value, pd.DataFrame):
        return repr(value), [*value.dtypes], repr(value.index), value.columns.names, [*value.columns], value.attrs
    return type(value), repr(value)


@pytest.mark.sampled(7)
@pytest.mark.parametrize("name", KINDS)
def test_a_value_comes_back_equal_or_is_dropped_with_a_note(
    name: str, memory: ValueMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(value_memory, "_WORTH", 0)
    monkeypatch.setattr(value_memory, "_ON_DISK", 1_000_000)
    monkeypatch.setitem(sys.modules, "kinds_of_values", None)
    cells, (declared, made) = NotebookCells("kinds_of_values"), KINDS[name]
    cells.run(DEFINITIONS, f"@task\ndef make() -> {declared}:\n    return {made}")
    cells.run(f"@workflow\ndef wf() -> {declared}:\n    return make()")
    before = seen(cells.module.make.task_function())
    run = run_within(1, cells.module.wf)
    look(memory, 1)
    assert size_of(values_of(run)).total == 0
    again = run.nodes["make"].outputs["o0"]
    if run.nodes["make"].note:
        assert isinstance(again, Absent)
    else:
        assert seen(again) == before
        assert seen(run.result) == before


def test_a_value_that_reads_back_otherwise_is_dropped(memory: ValueMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    write = value_memory.write_value
    lossy = packer(dict[str, str])({"b": "", "c": "", "a": "y"})
    monkeypatch.setattr(value_memory, "write_value", lambda _, *where: write(lossy, *where))
    run = run_within(1000, named, n=5000)
    assert look(memory, 1000) < 1000
    [node] = run.nodes.values()
    assert node.note.startswith("on disk it would have other content: the value was dropped to stay within 1.0 kB")
    assert isinstance(node.outputs["o0"], Absent)
