"""Random programs answer as plain Python says, run what it says, and leave nothing behind."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kernel import ROOT
from tests.random_workflows.generator import generate
from tests.random_workflows.oracle import expect
from tests.random_workflows.program import Call, Const, Program, Ref, Statement, Workflow
from tests.random_workflows.trial import own_home, try_program, try_seeds

QUICK, SLOW, AT_ONCE = 300, 5000, 20

pytestmark = [
    # flytekit itself makes coroutines that it drops, and event loops that it never closes.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A temporary directory of these tests' own, in which nothing may be left."""
    with own_home() as here:
        yield here


@pytest.mark.parametrize("first", range(0, QUICK, AT_ONCE))
def test_random_programs_answer_as_plain_python_says(first: int, home: Path) -> None:
    wrong = try_seeds(range(first, first + AT_ONCE), home)
    assert not wrong, wrong


@pytest.fixture(scope="module")
def ask() -> Iterator[Callable[[int, int], str]]:
    """Ask a process what is wrong with a range of seeds; it runs each half in a process that it forks."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.random_workflows"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        asked, said = server.stdin, server.stdout
        assert asked is not None
        assert said is not None

        def ask(first: int, end: int) -> str:
            print(f"{first}-{end}", file=asked, flush=True)
            return str(json.loads(said.readline()))

        yield ask


@pytest.mark.slow
@pytest.mark.parametrize("first", range(QUICK, QUICK + SLOW, SLOW // 10))
def test_many_random_programs_answer_as_plain_python_says(first: int, ask: Callable[[int, int], str]) -> None:
    """They hold as good as every three constructs together."""
    assert ask(first, first + SLOW // 10) == ""


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
