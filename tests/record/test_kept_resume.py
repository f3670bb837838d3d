"""A run that was kept on disk is resumed as one in memory: what can't be proven equal runs again."""

from __future__ import annotations

import collections
import itertools
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

import flytenb
from flytenb.bridge.execution import kept_values
from flytenb.bridge.type_engine.key_order import put_in_order
from flytenb.errors import UsageError
from flytenb.record import kept_run, run_keeper
from flytenb.record.run_description import unpack
from flytenb.record.run_store import RunStore, StoreError
from flytenb.session import Session
from flytenb.session.host import host
from flytenb.session.kept_runs import kept_heads
from tests.forks import fork
from tests.notebook_cells import NotebookCells
from tests.runner.test_resume import AFTER_FIRST, DOUBLE, FLOW, GROW, TIMES
from tests.waiting import wait_for

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
MAKE = "@task\ndef make(n: int) -> {}:\n    note('make')\n    return {}"
TAKE = "@task\ndef take(v: {}) -> str:\n    note('take')\n    return repr({})"
WHOLE = "@workflow\ndef wf(n: int) -> str:\n    return take(v=make(n=n))"


class Kernel:
    """A notebook with a session of its own, which keeps its runs in a folder."""

    def __init__(self) -> None:
        self.close = host.open(Session())
        self.cells = NotebookCells()
        self.options = flytenb.options(keep="runs", cache=False)

    def start(self, **inputs: Any) -> Any:
        """Run the workflow, and wait until that is kept."""
        run = self.options.start(self.cells.wf, **inputs).wait()
        assert host.keeper.wait()
        assert run.is_kept
        self.cells.take_ran()
        return run

    def resume(self, **inputs: Any) -> tuple[list[str], Any]:
        """Resume the last kept run of the workflow; return what ran, and the run. Its result is that of a whole run."""
        run = self.options.options(resume=True, keep="runs").run(self.cells.wf, **inputs)
        ran = self.cells.take_ran()
        assert run.result == flytenb.options(cache=False).run(self.cells.wf, **inputs).result
        self.cells.take_ran()
        return ran, run


@pytest.fixture
def kernels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[Kernel]]:
    """Two kernels, the second of which knows nothing of the first one's runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "notebook_of_cells", None)
    made: list[Kernel] = []

    def begin() -> Kernel:
        made.append(Kernel())
        return made[-1]

    yield begin  # type: ignore[misc]
    assert host.keeper.wait()
    host.keeper.close()
    for kernel in reversed(made):
        kernel.close()


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        pytest.param((), [], id="nothing"),
        pytest.param(("K = 3  # as before",), [], id="the same value"),
        pytest.param(("K = type('Three', (int,), {})(3)",), TIMES, id="a value that makes the same outputs"),
        pytest.param(("def by(x): return K * x",), TIMES, id="a helper that does the same"),
        pytest.param((GROW, FLOW[-1]), ["plus", "plus", "plus", "up"], id="a dynamic"),
        pytest.param((DOUBLE, FLOW[-1]), ["double 0", "double 1", "double 2", *["plus"] * 3, "total"], id="an element"),
    ],
)
def test_only_what_has_changed_runs(edit: tuple[str, ...], expected: list[str], kernels: Any) -> None:
    first = kernels()
    first.cells.run(*FLOW)
    whole = first.start(n=3)
    second = kernels()
    second.cells.run(*FLOW, *edit)
    ran, run = second.resume(n=3)
    assert ran == sorted([*expected, "grow"])  # the body of a dynamic isn't kept
    if not edit:
        assert {path: node.outputs for path, node in run.nodes.items()} == {
            p: n.outputs for p, n in whole.nodes.items()
        }
        assert run.nodes["n0"].resumed.startswith("re-used from the run of ")
        assert run.nodes["n0"].duration == whole.nodes["n0"].duration
    again = flytenb.load_run(settled(run).id, "runs")
    assert {path: node.resumed for path, node in again.nodes.items()} == {p: n.resumed for p, n in run.nodes.items()}


def settled(run: Any) -> Any:
    assert host.keeper.wait()
    return run


VALUES = {
    "a list": ("list[int]", "[n, 2]", "v"),
    "a dict": ("dict[str, int]", "{'b': n, 'c': 1, 'a': 2}", "v"),
    "dicts in a dict": ("dict[str, dict[str, int]]", "{'b': {'z': n, 'a': 1}, 'a': {}}", "v"),
    "a dataclass": ("Point", "Point(n, {'b': 1, 'a': 2})", "v"),
    "an array": ("numpy.ndarray", "numpy.arange(n)", "v"),
    "a frame": ("pandas.DataFrame", "pandas.DataFrame({'b': [n], 'a': [1]})", "v"),
    "a file": ("FlyteFile", "FlyteFile(written(n))", "Path(v).read_text()"),
    "a time": ("datetime.timedelta", "datetime.timedelta(hours=n)", "v"),
    "an enumeration": ("Colour", "Colour.RED", "v"),
    "none": ("int | None", "None", "v"),
}


@pytest.mark.parametrize(("declared", "made", "seen"), VALUES.values(), ids=VALUES)
def test_values_cross_as_they_did(declared: str, made: str, seen: str, kernels: Any) -> None:
    definitions = (
        "import datetime, enum, numpy, pandas, tempfile\nfrom pathlib import Path",
        "from flytekit.types.file import FlyteFile",
        "def written(n):\n    path = Path(tempfile.mkdtemp()) / 'a'\n    path.write_text(str(n))\n    return str(path)",
        "@dataclass\nclass Point:\n    x: int\n    y: dict[str, int]",
        "class Colour(enum.Enum):\n    RED = 'red'",
        MAKE.format(declared, made),
        TAKE.format(declared, seen),
        WHOLE,
    )
    first, second = kernels(), None
    first.cells.run(*definitions)
    first.start(n=3)
    second = kernels()
    second.cells.run(*definitions)
    assert second.resume(n=3)[0] == []
    second.cells.run(TAKE.format(declared, f"({seen}, 1)"), WHOLE)
    assert second.resume(n=3)[0] == ["take"]


@pytest.mark.parametrize(
    "spoiled", ["version", "a pickle", "an order", "a file of a value", "a file of the user's", "a class"]
)
def test_what_cant_be_proven_equal_runs_again(
    spoiled: str, kernels: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a").write_text("1")
    declared, made = {
        "a pickle": ("Bag", "Bag(n)"),
        "an order": ("dict[str, int]", "{'b': n, 'a': 1}"),
        "a file of a value": ("numpy.ndarray", "numpy.arange(n)"),
        "a file of the user's": ("FlyteFile", "FlyteFile(str(Path('data') / chr(97)), remote_path=False)"),
        "a class": ("Point", "Point(n)"),
    }.get(spoiled, ("int", "n"))
    definitions = (
        "import numpy\nfrom pathlib import Path\nfrom flytekit.types.file import FlyteFile",
        "class Bag:\n    def __init__(self, n): self.n = n\n    def __repr__(self): return f'Bag({self.n})'",
        "@dataclass\nclass Point:\n    x: int",
        MAKE.format(declared, made),
        TAKE.format(declared, "Path(v).read_text()" if declared == "FlyteFile" else "v"),
        WHOLE,
    )
    if spoiled == "an order":  # such that the value reads as another one
        monkeypatch.setattr(kept_values, "put_in_order", lambda *_: put_in_order(*_[:1], ()))
    first = kernels()
    first.cells.run(*definitions)
    first.start(n=3)
    second = kernels()
    second.cells.run(*definitions)
    if spoiled == "version":
        monkeypatch.setattr(kept_run, "MADE_BY", "another version")
    elif spoiled == "a file of a value":
        for file in (tmp_path / "runs" / "files").rglob("*"):
            if file.is_file():
                file.write_bytes(b"spoiled")
    elif spoiled == "a file of the user's":
        (tmp_path / "data" / "a").write_text("2")
    elif spoiled == "a class":
        second.cells.run("@dataclass\nclass Point:\n    x: int\n    y: int = 7", *definitions[3:])
    ran, run = second.resume(n=3)
    assert ran == ["make", "take"], {path: node.resumed for path, node in run.nodes.items()}


def test_a_file_that_changed_before_it_was_kept_isnt_taken_for_what_the_node_returned(
    kernels: Any, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a").write_text("1")
    definitions = (
        "from pathlib import Path\nfrom flytekit.types.file import FlyteFile",
        MAKE.format("FlyteFile", "FlyteFile(str(Path('data') / chr(97)), remote_path=False)"),
        TAKE.format("FlyteFile", "Path(v).read_text()"),
        "@task\ndef spoil(n: str) -> str:\n    Path('data', chr(97)).write_text('2')\n    return n",
        "@workflow\ndef wf(n: int) -> str:\n    return spoil(n=take(v=make(n=n)))",
    )
    first = kernels()
    first.cells.run(*definitions)
    assert first.start(n=3).result == "'1'"
    (tmp_path / "data" / "a").write_text("1")
    second = kernels()
    second.cells.run(*definitions)
    run = second.options.options(resume=True).run(second.cells.wf, n=3)
    assert run.result == "'1'"
    assert "make" in second.cells.take_ran()


def test_what_the_last_kept_run_lacks_is_taken_from_the_last_good_one(kernels: Any) -> None:
    first = kernels()
    first.cells.run(*FLOW[:-1], AFTER_FIRST)
    first.start(n=3)
    first.cells.run(FLOW[1].replace("return", "raise ValueError\n    return"), *FLOW[8:-1], AFTER_FIRST)
    assert str(first.start(n=3).phase) == "FAILED"
    second = kernels()
    second.cells.run(*FLOW[:-1], AFTER_FIRST)
    assert second.resume(n=3)[0] == ["grow"]


def test_there_must_be_a_kept_run_of_the_same_workflow(kernels: Any) -> None:
    first = kernels()
    first.cells.run(*FLOW)
    first.start(n=3)
    second = kernels()
    second.cells.run(*FLOW)
    with pytest.raises(UsageError, match="there is no run of 'sub' to resume"):
        second.options.options(resume=True).run(second.cells.sub, x=3)


CHAIN = (
    *FLOW[:5],
    "import threading\n@task\ndef last(x: int) -> int:\n    note('last')\n    threading.Event().wait()\n    return x",
    "@workflow\ndef wf(n: int) -> int:\n    return last(x=plus(x=times(x=up(x=n)), y=n))",
)


@contextmanager
def killed(kernels: Any, cells: tuple[str, ...]) -> Iterator[None]:
    """Run a workflow in another process, which keeps it all the time, during the block; kill the process then."""
    child = fork()
    if not child:
        with suppress(BaseException):
            run_keeper._EVERY = run_keeper._SHARE = 0
            kernel = kernels()
            kernel.cells.run(*cells)
            kernel.options.start(kernel.cells.wf, n=3)
            threading.Event().wait()
        os._exit(1)
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def kept_phases() -> list[str]:
    """Return the phases of the nodes of the kept runs."""
    store, found = RunStore(Path("runs"), is_made=False), []
    with suppress(StoreError):  # which is just being made
        found = [store.read(run) for run in store.heads()] if store.exists else []
    store.close()
    rows = [unpack(row)["node"] for each in found if each is not None for row in each.nodes.values()]
    return [node["phase"] for node in rows if node is not None]


def test_nodes_that_had_ended_when_the_kernel_was_killed_arent_run_again(kernels: Any) -> None:
    with killed(kernels, CHAIN):
        wait_for(lambda: kept_phases().count("SUCCEEDED") == 3)
    second = kernels()
    second.cells.run(*CHAIN[:-2], CHAIN[-2].replace("    threading.Event().wait()\n", ""), CHAIN[-1])
    [head] = kept_heads(Path("runs").absolute())
    assert (head.phase, head.why) == ("ABORTED", "it hadn't ended when it was kept")
    found = flytenb.load_run(head.id, "runs")
    assert [str(found.nodes[path].phase) for path in ("n0", "n1", "n2", "n3")] == [*["SUCCEEDED"] * 3, "ABORTED"]
    assert second.resume(n=3)[0] == ["last"]


@pytest.mark.slow  # forks many times
def test_a_kernel_may_be_killed_at_any_moment_while_it_keeps_a_run(kernels: Any) -> None:
    for least in range(0, 16, 4):
        with killed(kernels, FLOW):
            wait_for(lambda least=least: len(kept_phases()) > least)  # type: ignore[misc]
        kernel = kernels()
        kernel.cells.run(*FLOW)
        kernel.resume(n=3)
        assert host.keeper.wait()
        host.keeper.close()
        shutil.rmtree("runs")


KILLS = 100
STEPS = 4


def keep_until_killed(cells: NotebookCells, reports: int) -> None:
    """Run workflows of a few nodes, each written again and again while it is on, and report what is on disk."""
    write = RunStore.write

    def written(self: RunStore, *what: Any, **how: Any) -> None:
        write(self, *what, **how)
        os.write(reports, b"written\n")

    RunStore.write = written  # type: ignore[method-assign]
    for number in itertools.count(os.getpid() * 1000):
        run = flytenb.options(keep="runs", cache=False).start(cells.slow, n=number).wait()
        assert host.keeper.wait()
        if run.is_kept:
            os.write(reports, f"{run.id} {number}\n".encode())


@pytest.mark.slow  # forks a hundred times
def test_nothing_that_was_reported_is_lost_in_a_hundred_kills_while_runs_go_on(
    kernels: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fork stands for a kernel: `kill -9` ends both without a handler, and what it leaves is in the folder alone.

    The kills come at random moments after a random number of writes; a run is written again and again while it is on.
    """
    monkeypatch.setattr(run_keeper, "_EVERY", 0)
    monkeypatch.setattr(run_keeper, "_SHARE", 0)
    cells = kernels().cells
    step = "@task\ndef step(x: int) -> int:\n    note('step')\n    time.sleep(0.002)\n    return x + 1"
    calls = "".join("    x = step(x=x)\n" for _ in range(STEPS))
    cells.run("import time", step, f"@workflow\ndef slow(n: int) -> int:\n    x = n\n{calls}    return x")
    flytenb.graph(cells.slow)
    reported: dict[str, int] = {}
    moments = random.Random(7)
    for _ in range(KILLS):
        reads, writes = os.pipe()
        child = fork()
        if not child:
            with suppress(BaseException):
                keep_until_killed(cells, writes)
            os._exit(1)
        os.close(writes)
        with os.fdopen(reads, "rb") as pipe:
            lines = [pipe.readline() for _ in range(moments.randrange(1, 8))]
            select.select([pipe], [], [], moments.random() * 0.01)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            lines += [line for line in pipe if line.endswith(b"\n")]
        reports = [line.split() for line in lines if line != b"written\n"]
        reported |= {run.decode(): int(number) for run, number in reports}
    assert_as_reported(cells, reported)


def assert_as_reported(cells: NotebookCells, reported: Mapping[str, int]) -> None:
    """Assert that runs are as they were reported, and that of the others nothing is wrong."""
    phases = collections.Counter()
    for head in kept_heads(Path("runs").absolute()):
        found = flytenb.load_run(head.id, "runs")
        phases[str(head.phase)] += 1
        number = reported.pop(head.id, found.inputs["n"])
        assert found.inputs == {"n": number}
        if head.phase == "SUCCEEDED":
            assert found.result == number + STEPS
        ended = [node for node in found.nodes.values() if node.phase == "SUCCEEDED"]
        assert all(node.outputs["o0"] == node.inputs["x"] + 1 for node in ended)
    assert reported == {}
    assert min(phases["SUCCEEDED"], phases["ABORTED"]) > KILLS // 10
    cells.take_ran()
    last = flytenb.load_run(kept_heads(Path("runs").absolute())[-1].id, "runs")
    again = flytenb.options(resume=last, cache=False).run(cells.slow, n=last.inputs["n"])
    assert again.result == last.inputs["n"] + STEPS


SCRIPT = """
import sys
import flytenb
from flytenb.session.host import host
from tests.notebook_cells import NotebookCells
from tests.runner.test_resume import FLOW
sys.modules["notebook_of_cells"] = None
cells = NotebookCells()
cells.run(*FLOW)
options = flytenb.options(keep="runs", cache=False)
run = options.options(resume=len(sys.argv) > 1).run(cells.wf, n=3)
assert host.keeper.wait()
print(run.result, cells.take_ran())
"""


@pytest.mark.slow  # starts two interpreters: hashes and identities of one process mustn't be part of what is compared
def test_another_process_takes_what_a_process_has_kept(tmp_path: Path) -> None:
    said = [
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", SCRIPT, *again],
            cwd=tmp_path,
            env={**ENVIRONMENT, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, again in (("1", ()), ("2", ("again",)))
    ]
    assert said[0].startswith("52 ['ask'")
    assert said[1] == "52 ['grow']\n"
