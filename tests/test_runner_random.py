"""Random programs answer as plain Python says, run what it says, and leave nothing behind."""

from __future__ import annotations

import gc
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flytekit.core import local_cache
from flytekit.core.local_cache import LocalTaskCache

from tests.random_workflows.generator import generate
from tests.random_workflows.oracle import expect
from tests.random_workflows.program import Call, Const, Program, Ref, Statement, Workflow
from tests.random_workflows.trial import report, try_program, try_seed

QUICK, SLOW, AT_ONCE = 300, 5000, 20

pytestmark = [
    # flytekit itself makes coroutines that it drops, and event loops that it never closes.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]


MOST_THREADS, MOST_FILES = 60, 200
"""What runs may leave: the fixed pool's threads, each with an event loop and its three files. One a seed is more."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A temporary directory of these tests' own, in which nothing may be left; the cache is elsewhere."""
    here = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local_cache, "CACHE_LOCATION", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(LocalTaskCache, "_initialized", False)
        patch.setattr(tempfile, "tempdir", str(here))
        # A node may be stopped in a destructor, which pytest would take for an error of a test.
        patch.setattr(sys, "unraisablehook", lambda _: None)
        yield here


def try_seeds(seeds: range, home: Path) -> None:
    for seed in seeds:
        wrong = try_seed(seed)
        # A run that hangs makes those after it hang as well.
        assert not wrong, report(seed, wrong)
    gc.collect()
    left = [path for path in home.rglob("*") if path.is_file() and not path.name.startswith("random_vocabulary")]
    assert left == [], f"after seeds {seeds}: files are left"
    threads = [thread.name for thread in threading.enumerate()]
    assert len(threads) < MOST_THREADS, f"after seeds {seeds}: threads are left: {threads}"
    files = [str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    assert len(files) < MOST_FILES, f"after seeds {seeds}: files are open: {files}"


@pytest.mark.parametrize("first", range(0, QUICK, AT_ONCE))
def test_random_programs_answer_as_plain_python_says(first: int, home: Path) -> None:
    try_seeds(range(first, first + AT_ONCE), home)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(QUICK, QUICK + SLOW, 10 * AT_ONCE))
def test_many_random_programs_answer_as_plain_python_says(first: int, home: Path) -> None:
    try_seeds(range(first, first + 10 * AT_ONCE), home)


# --- the tests themselves --------------------------------------------------------------------------------------------


def test_a_program_is_a_pure_function_of_its_seed_and_holds_every_construct() -> None:
    programs = [generate(seed) for seed in range(QUICK)]
    assert programs[:30] == [generate(seed) for seed in range(30)]
    text = "\n".join(program.source() for program in programs)
    for construct in (
        *("map_task(functools.partial(", "concurrency=", "min_success_ratio=", ".elif_(", ".else_().fail(", " >> "),
        *("@dynamic", "@eager", "await asyncio.gather(", "except Exception:", "LaunchPlan.get_or_create("),
        *("on_failure=", "FAIL_AFTER_EXECUTABLE_NODES_COMPLETE", "retries=2", "cache=True", "create_node(ainc"),
        *("FlyteFile", "FlyteDirectory", "pd.DataFrame", "Optional[int]", "Union[int, str]", "timedelta", "Colour"),
    ):
        assert text.count(construct) > 5, construct
    assert sum(bool(expect(program).failures) for program in programs) > QUICK // 10
    modes = [program.mode for program in programs]
    assert {mode.workers for mode in modes} >= {1, 16}
    for chosen in ("strict", "processes", "cache", "cancel_after"):
        assert any(getattr(mode, chosen) for mode in modes), chosen


def program(*statements: Statement, policy: bool = False) -> Program:
    wf = Workflow("wf", ("a", "b"), statements, ((Ref(statements[-1].names[0]), "int"),), policy)
    return Program(-1, (wf,), (("a", 1), ("b", 7)))


def call(name: str, target: str, **args: Ref | Const) -> Statement:
    return Statement((name,), Call(target, tuple(args.items())))


def test_what_is_wrong_would_be_noticed(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    right = program(call("v0", "inc", x=Ref("a")), call("v1", "add", x=Ref("v0"), y=Const(5)))
    assert try_program(right) == ""
    assert expect(right).outputs == (7,)
    other = program(call("v0", "inc", x=Ref("b")), call("v1", "add", x=Ref("v0"), y=Const(5)))
    more = program(*other.root.statements[:1], call("w", "slow", x=Ref("a")), other.root.statements[1])
    broken = program(call("v0", "check7", x=Ref("b")), call("v1", "add", x=Ref("v0"), y=Const(5)))
    for wrong, words in ((other, "output 0: 7, expected 13"), (more, ""), (broken, "the run is SUCCEEDED, expected")):
        with monkeypatch.context() as patch:
            patch.setattr("tests.random_workflows.trial.expect", lambda _, wrong=wrong: expect(wrong))
            found = try_program(right)
        assert found, "not noticed"
        assert words in found
