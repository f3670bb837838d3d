"""Executions that are attached without the cells, and nodes that are run again with the cells as they are now."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flyteidl.admin import task_execution_pb2
from flyteidl.core.execution_pb2 import TaskExecution
from flytekit.types.file import FlyteFile
from flytekit.types.structured import StructuredDataset
from google.protobuf.timestamp_pb2 import Timestamp

import flytenb
from flytenb.bridge.cluster.execution_facts import element_message, read_attempt
from flytenb.display.runs.run_state import RunState
from flytenb.errors import ClusterError, UsageError
from flytenb.model import Kind, Phase
from flytenb.session.cluster_choice import Cluster as Choice
from flytenb.session.host import host
from flytenb.ship.replayed_node import Recorded, Replay
from tests.cluster import executions, records
from tests.cluster.cluster import Cluster, start_cluster
from tests.cluster.faults import ALWAYS, Fault
from tests.cluster.settings import Settings
from tests.ship.notebooks import Notebook, open_notebook
from tests.waiting import PATIENCE, wait_for

pytestmark = [
    pytest.mark.usefixtures("folder"),
    pytest.mark.slow,  # pods are processes
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # loops that IPython leaves
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

CELLS = [
    """
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Optional

import pandas as pd
from flytekit import LaunchPlan, approve, conditional, dynamic, map_task, task, wait_for_input, workflow
from flytekit.types.file import FlyteFile

@dataclass
class Config:
    rate: float

@task
def configure(n: int) -> Config:
    return Config(n / 2)

@task
def frame(n: int) -> pd.DataFrame:
    return pd.DataFrame({"a": range(n)})

@task
def dump(df: pd.DataFrame) -> FlyteFile:
    Path("dump.csv").write_text(df.to_csv(index=False))
    return FlyteFile("dump.csv")

@task
def half(x: int) -> int:
    if x % 2:
        raise ValueError(f"odd: {x}")
    return x // 2

@dynamic
def grow(n: int) -> list[int]:
    return [half(x=2 * i) for i in range(n)]
""",
    """
@task
def size(f: FlyteFile, cfg: Config) -> int:
    return len(Path(f).read_text())
""",
    """
@workflow
def checked(n: int) -> tuple[int, int]:
    s = size(f=dump(df=frame(n=n)), cfg=configure(n=n))
    conditional("large").if_(s > 1).then(half(x=4)).else_().then(half(x=8))
    map_task(half)(x=[2, 4])
    grow(n=2)
    ok = approve(s, "looks good", timeout=timedelta(hours=1))
    extra = wait_for_input("extra", timeout=timedelta(hours=1), expected_type=int)
    return ok, half(x=extra)

@workflow
def fan() -> list[int]:
    return map_task(half)(x=[2, 3, 4])

@workflow
def even() -> list[int]:
    return map_task(half)(x=[2, 4])

@workflow
def tolerant() -> int:
    map_task(half, min_success_ratio=0.5)(x=[2, 3, 4]) >> (late := half(x=5))
    return late
""",
]


@pytest.fixture(scope="module")
def notebook() -> Iterator[Notebook]:
    with open_notebook() as opened:
        opened.run(*CELLS)
        watchers = host.watchers[:]
        host.watchers.clear()  # nothing is shown
        yield opened
        host.watchers[:] = watchers


@pytest.fixture(scope="module")
def choice(double: Cluster) -> Choice:
    return flytenb.cluster(double.config())


@pytest.fixture
def without_cells() -> Iterator[None]:
    entities = host.session.definitions
    kept = dict(entities)
    entities.clear()
    yield
    entities.update(kept)


@pytest.fixture(scope="module")
def answered(notebook: Notebook, choice: Choice) -> Any:
    """An execution whose gates were answered from a kernel that has none of its cells."""
    execution = choice.launch(notebook.names["checked"], n=3).execution
    entities = host.session.definitions
    kept = dict(entities)
    entities.clear()
    try:
        run = choice.attach(execution)
    finally:
        entities.update(kept)
    wait_for(lambda: len(run.waiting) == 2)
    return run


@pytest.fixture(scope="module")
def attached(answered: Any) -> Any:
    assert sorted(answered.questions.values()) == ["approve looks good?", "extra: a value of type int"]
    with pytest.raises(Exception, match="int"):
        answered.set_input("extra", "six")
    answered.set_input("extra", 6)
    answered.approve("looks good")
    return answered.wait(PATIENCE)


def test_gates_are_answered_without_the_cells(attached: Any) -> None:
    assert (attached.phase, attached.outputs) == (Phase.SUCCEEDED, {"o0": 8, "o1": 3})


def test_values_are_given_out_without_the_cells(attached: Any) -> None:
    [made], [dumped] = attached.nodes["frame"].outputs.values(), attached.nodes["dump"].outputs.values()
    assert (type(made), type(dumped)) == (StructuredDataset, FlyteFile)
    assert Path(dumped).read_text() == "a\n0\n1\n2\n"
    assert attached.nodes["configure"].outputs == {"o0": {"rate": 1.5}}


def test_kinds_and_names_are_those_of_the_notebook_without_the_cells(attached: Any) -> None:
    found = {(node.name, node.kind) for node in attached.graph.nodes.values()}
    assert {("half", Kind.MAP), ("grow", Kind.DYNAMIC), ("size", Kind.TASK), ("extra", Kind.GATE)} <= found


def test_what_cant_be_replayed_is_said_with_what_can(notebook: Notebook, choice: Choice, attached: Any) -> None:
    kinds = {node.kind: path for path, node in attached.graph.nodes.items()}
    with pytest.raises(UsageError, match=r"'n4' \(large\) is a branch, which runs nothing itself\n.*case .*'n4/n0'"):
        choice.replay(attached.execution, kinds[Kind.BRANCH])
    with pytest.raises(UsageError, match="is a gate, which runs nothing"):
        choice.replay(attached.execution, "extra")


@pytest.mark.usefixtures("without_cells")
def test_a_node_without_its_task_is_named(choice: Choice, attached: Any) -> None:
    with pytest.raises(UsageError, match=r"defines no task or workflow for node 'n3' \(size\)"):
        choice.replay(attached.execution, "n3")


def test_gates_take_the_recorded_answers(choice: Choice, attached: Any) -> None:
    replay = choice.replay(attached.execution)
    assert (replay.is_same, replay.run.outputs) == (True, {"o0": 8, "o1": 3})


@pytest.fixture
def redefine(notebook: Notebook) -> Iterator[Callable[[str], None]]:
    """A function that redefines the task `size`, with which its workflow may not compile any more."""
    yield lambda text: notebook.try_run(f"@task\ndef size({text}")
    notebook.run(CELLS[1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("f: FlyteFile) -> int:\n    return 8", r"'n3' \(size\) was run with inputs 'f', 'cfg'.*takes inputs 'f'"),
        ("f: FlyteFile, cfg: Config, k: int) -> int:\n    return 8", "takes inputs 'f', 'cfg', 'k'"),
        (") -> int:\n    return 8", "takes no inputs"),
        ("f: FlyteFile, cfg: int) -> int:\n    return 8", r"input 'cfg' of node 'n3' .*takes int, .*'rate': 1.5"),
        ("f: str, cfg: Config) -> int:\n    return 8", r"input 'f' .*takes str, recorded is .*dump.csv"),
    ],
)  # fmt: skip
def test_inputs_that_the_task_doesnt_take_any_more_are_named(
    redefine: Callable[[str], None], choice: Choice, attached: Any, text: str, message: str
) -> None:
    redefine(text)
    with pytest.raises(UsageError, match=message) as caught:
        choice.replay(attached.execution, "size")
    assert "run the cell with the earlier" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "difference"),
    [
        ("f: FlyteFile, cfg: Config, k: int = 1) -> str:\n    return 'eight'", "o0: 'eight' here, 8 recorded"),
        ("f: FlyteFile, cfg: Config) -> tuple[int, int]:\n    return 8, 9", "o1: 9 here, nothing recorded"),
        ("f: FlyteFile, cfg: Config):\n    pass", "o0: nothing here, 8 recorded"),
    ],
)
def test_outputs_of_another_type_or_number_are_differences(
    redefine: Callable[[str], None], choice: Choice, attached: Any, text: str, difference: str
) -> None:
    redefine(text)
    assert choice.replay(attached.execution, "size").differences == (difference,)


def test_what_was_aborted_is_not_as_recorded(notebook: Notebook, choice: Choice) -> None:
    run = choice.launch(notebook.names["checked"], n=3)
    wait_for(lambda: len(run.waiting) == 2)
    run.set_input("extra", 8)
    wait_for(lambda: len(run.waiting) == 1)
    run.cancel()
    assert run.wait(PATIENCE).phase is Phase.ABORTED
    recorded = Recorded.of(run)
    assert [*recorded.answers.values()] == [8]
    here = flytenb.options(answers={"looks good": True, **recorded.answers}).run(notebook.names["checked"], n=3)
    assert Replay.of(here, run.execution, recorded).differences == ("here: success; recorded: aborted",)


def test_the_element_that_failed_is_the_failure(notebook: Notebook, choice: Choice) -> None:
    run = choice.launch(notebook.names["fan"]).wait(PATIENCE)
    assert (run.error.path, run.error.message) == ("n0/1", "ValueError: odd: 3")
    assert (run.nodes["n0/1"].error.message, run.nodes["n0/0"].error) == ("ValueError: odd: 3", None)
    replay = choice.replay(run.execution)
    assert (replay.recorded.path, replay.is_same, dict(replay.recorded.inputs)) == ("n0/1", True, {"x": 3})


def test_elements_have_no_durations_since_a_cluster_says_none(notebook: Notebook, choice: Choice) -> None:
    run = choice.launch(notebook.names["even"]).wait(PATIENCE)
    later = choice.attach(run.execution).wait(PATIENCE)
    for each in (run, later):
        elements = [f"n0/{index}" for index in range(2)]
        assert [each.nodes[path].duration for path in elements] == [None] * 2
        assert each.nodes["n0"].duration is not None
        seen = RunState.of(each.events).entries
        assert [seen[path].state.duration for path in elements] == [None] * 2
        assert [seen[path].state.phase for path in elements] == [Phase.SUCCEEDED] * 2
        assert "/*" not in repr(each.timeline())
    assert choice.replay(run.execution, "n0/0").run.outputs == {"o0": 1}


def test_a_tolerated_element_is_no_failure_of_the_run(notebook: Notebook, choice: Choice) -> None:
    run = choice.launch(notebook.names["tolerant"]).wait(PATIENCE)
    assert (run.error.path, run.also_failed) == ("n1", ())
    assert run.nodes["n0/1"].error.message == "the cluster keeps no message of this element"


def test_values_that_are_too_large_for_an_answer_are_read_from_links(notebook: Notebook, tmp_path: Path) -> None:
    with start_cluster(tmp_path, Settings(inline_limit=10)) as cluster:
        choice = flytenb.cluster(cluster.config())
        run = choice.launch(notebook.names["even"]).wait(PATIENCE)
        assert (run.outputs, run.nodes["n0"].inputs) == ({"o0": [1, 2]}, {"x": [2, 4]})
        assert choice.replay(run.execution, "n0").is_same


@pytest.mark.parametrize("skew", [-3600, 3600])
def test_durations_are_those_of_a_cluster_whose_clock_differs(
    notebook: Notebook, choice: Choice, double: Cluster, monkeypatch: pytest.MonkeyPatch, skew: int
) -> None:
    def now() -> Timestamp:
        stamp = Timestamp()
        stamp.FromNanoseconds(time.time_ns() + skew * 10**9)
        return stamp

    for module in (records, executions):
        monkeypatch.setattr(module, "now", now)
    before = time.time()
    run = choice.launch(notebook.names["fan"]).wait(PATIENCE)
    after = time.time()
    later = choice.attach(run.execution).wait(PATIENCE)
    there = choice.attach(run.execution).read()
    record = double.wait(run.execution.rpartition(":")[2])
    took, node_took = (each.message.closure.duration.ToNanoseconds() / 1e9 for each in (record, record.nodes["n0"]))
    for each in (later, there):
        assert each.duration == pytest.approx(took, abs=0.001)
        assert each.nodes["n0"].duration == pytest.approx(node_took, abs=0.001)
    assert before <= run.started <= run.started + run.duration <= after


def test_a_run_that_is_followed_may_be_read(choice: Choice, attached: Any) -> None:
    for _ in range(20):
        assert choice.attach(attached.execution).read().phase is Phase.SUCCEEDED


def test_the_attempts_of_many_nodes_are_asked_for_at_the_same_time(
    notebook: Notebook, choice: Choice, double: Cluster
) -> None:
    execution = choice.launch(notebook.names["grow"], n=12).wait(PATIENCE).execution
    numbers, over, are_together = itertools.count(1), threading.Event(), []

    def meet() -> None:
        """Wait for three other requests; the first one is about the dynamic task around them."""
        number = next(numbers)
        if number == 5 and not over.is_set():
            are_together.append(True)
            over.set()
        if number > 1 and not over.wait(20):
            over.set()

    double.faults.arm(Fault("ListTaskExecutions", ALWAYS, before=meet))
    run = choice.attach(execution).wait(PATIENCE)
    double.faults.clear()
    assert (run.phase, are_together) == (Phase.SUCCEEDED, [True])


def test_an_unknown_execution_is_named_with_the_place(choice: Choice, double: Cluster) -> None:
    with pytest.raises(ClusterError, match=f"'nowhere'.*\n.*{double.endpoint}, project 'flytesnacks', domain 'develop"):
        choice.attach("nowhere")


def test_an_unknown_project_or_domain_is_named_with_the_way_out(notebook: Notebook, double: Cluster) -> None:
    for place in ({"project": "nowhere"}, {"domain": "nowhere"}):
        with pytest.raises(ClusterError, match=r"nowhere[\s\S]*config=…, project=… and domain=… choose another place"):
            flytenb.cluster(double.config(), **place).register(notebook.names["half"])


def test_a_variable_that_isnt_defined_is_named(notebook: Notebook) -> None:
    with pytest.raises(NameError, match="unknown_run"):
        notebook.run("%flyte attach unknown_run.execution")


def test_an_element_that_is_tried_again_has_not_ended() -> None:
    message = task_execution_pb2.TaskExecution()
    message.closure.phase = TaskExecution.RUNNING
    message.closure.metadata.external_resources.add(index=0, phase=TaskExecution.RETRYABLE_FAILED)
    assert read_attempt(message).elements[0].ran.phase is Phase.RUNNING
    message.closure.phase = TaskExecution.FAILED
    assert read_attempt(message).elements[0].ran.phase is Phase.FAILED


def test_the_messages_of_elements_are_told_apart() -> None:
    text = "[0][3-4]: Trace:\n\n  a\n\nMessage:\n\n  A [7]: b\n[2]: other\n"
    assert element_message("", 0) == ""
    found = {index: element_message(text, index) for index in range(5)}
    first = "Trace:\n\n  a\n\nMessage:\n\n  A [7]: b"
    assert found == {0: first, 1: "", 2: "other", 3: first, 4: first}
