"""Runs here with some nodes on the double of a cluster: equal results, phases, failures, aborts, lost connections."""

from __future__ import annotations

import inspect
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from flyteidl.core.execution_pb2 import WorkflowExecution
from flytekit.configuration import Config, PlatformConfig

import flytenb
from flytenb.bridge.cluster.connection import Connection
from flytenb.display.runs.error_card import card_lines
from flytenb.display.runs.node_details import NodeDetails
from flytenb.display.runs.run_card import run_bundle
from flytenb.display.show import show
from flytenb.errors import ClusterError, ExportError, RegistrationError, UsageError
from flytenb.model import Phase
from flytenb.record.kept_run import KeptRun
from flytenb.record.run_description import RunDescription
from flytenb.session.cluster_choice import Cluster as Choice
from flytenb.session.host import host
from tests.cluster.cluster import Cluster
from tests.cluster.records import ExecutionRecord
from tests.ship.notebooks import Notebook, open_notebook
from tests.waiting import PATIENCE, wait_for

pytestmark = [
    pytest.mark.usefixtures("folder"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # loops that IPython leaves
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

CELLS = [
    """
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
from flytekit import FlyteDirectory, LaunchPlan, StructuredDataset, conditional, dynamic, map_task, task, workflow
from flytekit.exceptions.user import FlyteRecoverableException
from flytekit.types.file import FlyteFile

HERE = []  # changed by tasks that run in the kernel
""",
    """
@dataclass
class Pair:
    left: int
    right: list[str]

@task
def add(x: int, by: int = 1) -> int:
    return x + by

@task
def here(x: int) -> int:
    HERE.append(x)
    return x

@task
def pair(x: int) -> Pair:
    return Pair(x, ["a"])

@task
def widen(p: Pair) -> Pair:
    p.right.append("b")
    return p

@task
def left(p: Pair, q: Pair) -> list[str]:
    return [*p.right, "|", *q.right]
""",
    """
@workflow
def twice(x: int) -> int:
    return add(x=add(x=x, by=1), by=1)

twice_plan = LaunchPlan.get_or_create(twice, "hybrid_plan", fixed_inputs={"x": 7})

@workflow
def one_inside(x: int) -> int:
    return twice(x=here(x=x))

@dynamic
def chain(n: int) -> int:
    x = here(x=n)
    for _ in range(2):
        x = add(x=x, by=n)
    return x

@workflow
def constructs(x: int) -> tuple[int, int, int, list[int], list[int], list[str]]:
    h = here(x=x)
    s = twice(x=h)
    c = conditional("big").if_(s > 100).then(add(x=s, by=2)).else_().then(twice(x=s))
    p = pair(x=c)
    ones = map_task(add)(x=[s, c, h], by=[1, 2, 3])
    tens = map_task(partial(add, by=10), concurrency=1)(x=[s, c])
    return s, twice_plan(), chain(n=c), ones, tens, left(p=p, q=widen(p=p))
""",
    """
@task
def write(text: str) -> tuple[FlyteFile, FlyteDirectory, pd.DataFrame, StructuredDataset]:
    Path("made").mkdir(exist_ok=True)
    for name in ("one.txt", "made/two.txt"):
        Path(name).write_text(text)
    frame = pd.DataFrame({"n": [1, 2], "t": [text, text]})
    return FlyteFile("one.txt"), FlyteDirectory("made"), frame, StructuredDataset(dataframe=frame)

@task
def extend(
    file: FlyteFile, folder: FlyteDirectory, frame: pd.DataFrame, rows: StructuredDataset
) -> tuple[FlyteFile, FlyteDirectory, pd.DataFrame, StructuredDataset]:
    text = Path(file).read_text() + (Path(folder) / "two.txt").read_text() + "!"
    made = pd.concat([frame, rows.open(pd.DataFrame).all()])
    Path("out").mkdir(exist_ok=True)
    for name in ("longer.txt", "out/two.txt"):
        Path(name).write_text(text)
    return FlyteFile("longer.txt"), FlyteDirectory("out"), made, StructuredDataset(dataframe=made)

@task
def read(file: FlyteFile, folder: FlyteDirectory, frame: pd.DataFrame, rows: StructuredDataset) -> list[str]:
    texts = [Path(file).read_text(), (Path(folder) / "two.txt").read_text()]
    return [*texts, *frame["t"], *rows.open(pd.DataFrame).all()["t"]]

@workflow
def files(text: str) -> list[str]:
    a, b, c, d = write(text=text)
    e, f, g, h = extend(file=a, folder=b, frame=c, rows=d)
    return read(file=e, folder=f, frame=g, rows=h)
""",
    """
@task(retries=2)
def flaky(x: int, counter: str) -> int:
    with open(counter, "a") as file:
        file.write("x")
    if len(Path(counter).read_text()) < x:
        raise FlyteRecoverableException("not yet")
    return x

@workflow
def again(x: int, counter: str) -> int:
    return here(x=flaky(x=x, counter=counter))

@task
def fails(x: int) -> int:
    y = x + 1
    if y:
        raise ValueError(f"no {y}")
    return y

@workflow
def failing_inside(x: int) -> int:
    return fails(x=add(x=x, by=1))

@workflow
def failing(x: int) -> int:
    return here(x=failing_inside(x=here(x=x)))
""",
    """
from datetime import timedelta
from flytekit import approve

@workflow
def gated(x: int) -> int:
    return add(x=approve(add(x=x, by=1), "ok", timeout=timedelta(hours=1)), by=1)

@workflow
def asking(x: int) -> int:
    return gated(x=here(x=x))
""",
    """
@task
def hold(folder: str, name: str, other: str) -> str:
    import time
    (Path(folder) / name).touch()
    while not (Path(folder) / other).exists():
        time.sleep(0.01)
    return name

@workflow
def both(folder: str) -> tuple[str, str]:
    return hold(folder=folder, name="a", other="b"), hold(folder=folder, name="b", other="a")

@workflow
def waiting(folder: str) -> str:
    return hold(folder=folder, name="begun", other="go")
""",
    "from os import getpid\nSTATE = [getpid()]",
    "@task\ndef kept(x: int) -> int:\n    return x + STATE[0]",
    "@workflow\ndef uses_state(x: int) -> int:\n    return add(x=kept(x=here(x=x)), by=1)",
]


@pytest.fixture(scope="module")
def notebook() -> Iterator[Notebook]:
    with open_notebook() as opened:
        opened.run(*CELLS)
        watchers = host.watchers[:]
        host.watchers.clear()  # nothing is shown
        yield opened
        host.watchers[:] = watchers


def place(choice: Choice, *nodes: Any) -> Any:
    return flytenb.options(on_cluster=dict.fromkeys(nodes, choice))


def executions(double: Cluster) -> list[ExecutionRecord]:
    return double.records.executions("flytesnacks", "development")


PLACED: dict[str, tuple[list[str], set[str]]] = {
    "a task wherever it is: in a branch, a subworkflow, a dynamic, a launch plan, a map": (
        ["add"],
        {"n1/n0", "n1/n1", "n2/n1/n0", "n2/n1/n1", "n4", "n5", "n6/n0", "n6/n1", "n7/dn1", "n7/dn2"},
    ),
    "what contains nodes, as a whole, and a node by its path": (
        ["twice", "twice_plan", "chain", "n8"],
        {"n1", "n2/n1", "n6", "n7", "n8"},
    ),
    "elements of a map": (["n4/0", "n4/2"], {"n4/0", "n4/2"}),
}


def _runs(graph: Any) -> set[str]:
    return {path for path, node in graph.nodes.items() if not node.is_pseudo}


@pytest.mark.parametrize("case", PLACED)
def test_the_result_is_that_of_a_local_run(notebook: Notebook, double: Cluster, choice: Choice, case: str) -> None:
    chosen, placed = PLACED[case]
    local = flytenb.run(notebook.names["constructs"], x=3)
    run = place(choice, *chosen).run(notebook.names["constructs"], x=3)
    assert run.result == local.result
    assert not run.compare(local)
    assert {path for path, node in run.nodes.items() if node.place} == placed
    assert double.faults.calls.count("CreateExecution") == len(placed)
    assert _runs(run.graph) == _runs(local.graph)
    inside = {path: node.phase for path, node in run.nodes.items() if not path.startswith("n7/")}
    assert inside == {path: node.phase for path, node in local.nodes.items() if not path.startswith("n7/")}
    assert [event for event in run.events if event.kind == "notice"] == []


def test_files_and_frames_cross_to_the_cluster_and_back(notebook: Notebook, choice: Choice) -> None:
    run = place(choice, "extend").run(notebook.names["files"], text="a")
    assert run.result == ["aa!", "aa!", "a", "a", "a", "a", "a", "a", "a", "a"]
    there = place(choice, "write", "read").run(notebook.names["files"], text="b")
    assert there.result == flytenb.run(notebook.names["files"], text="b").result
    assert Path(run.nodes["extend"].outputs["o0"]).read_text() == "aa!"
    assert Path(run.nodes["extend"].inputs["file"]).read_text() == "a"


def test_retries_are_those_of_the_cluster(notebook: Notebook, choice: Choice, tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    run = place(choice, "flaky").run(notebook.names["again"], x=3, counter=str(counter))
    node = run.nodes["flaky"]
    assert (run.result, node.attempts, counter.read_text()) == (3, 3, "xxx")
    assert [event.attempt for event in run.events if event.kind == "attempt"] == [1, 2]
    assert [name for name, _ in node.links] == ["execution", "Kubernetes Logs (User)"]
    counter.write_text("")
    failed = place(choice, "flaky").start(notebook.names["again"], x=9, counter=str(counter)).wait(PATIENCE)
    assert counter.read_text() == "xxx"
    assert "not yet" in failed.error.message
    assert len(failed.error.retries) == 2


def test_a_failure_has_the_path_the_message_and_the_line_of_the_cell(notebook: Notebook, choice: Choice) -> None:
    name = "failing"
    for chosen in ("fails", "failing_inside"):
        run = place(choice, chosen).start(notebook.names[name], x=3).wait(PATIENCE)
        assert (run.phase, run.error.path, run.error.message) == (Phase.FAILED, "n1/n1", "ValueError: no 5")
        assert dict(run.error.inputs) == {"x": 4}
        assert {path: node.phase for path, node in run.nodes.items()} == {
            "n0": Phase.SUCCEEDED,
            "n1": Phase.FAILED,
            "n1/n0": Phase.SUCCEEDED,
            "n1/n1": Phase.FAILED,
            "n2": Phase.ABORTED,
        }
        card = "\n".join(card_lines(run))
        function = notebook.names["fails"].task_function
        file, line = inspect.getsourcefile(function), function.__code__.co_firstlineno + 4
        assert f'{file}, line {line}, in fails\n    raise ValueError(f"no {{y}}")' in card


def test_two_nodes_on_the_cluster_run_at_the_same_time(notebook: Notebook, choice: Choice, tmp_path: Path) -> None:
    options = place(choice, "hold").options(workers=1)
    assert options.run(notebook.names["both"], folder=str(tmp_path)).result == ("a", "b")


def test_a_cancelled_run_aborts_its_executions(
    notebook: Notebook, double: Cluster, choice: Choice, tmp_path: Path
) -> None:
    run = place(choice, "hold").start(notebook.names["waiting"], folder=str(tmp_path))
    wait_for((tmp_path / "begun").exists)
    wait_for(lambda: run.nodes["n0"].links)
    run.cancel()
    assert (run.wait(PATIENCE).phase, run.nodes["n0"].phase) == (Phase.ABORTED, Phase.ABORTED)
    name = dict(run.nodes["n0"].links)["execution"].rpartition("/")[2]
    record = double.wait(name)
    assert record.message.closure.phase == WorkflowExecution.ABORTED
    assert record.message.closure.abort_metadata.cause == "aborted from a notebook"


def test_an_interrupt_aborts_the_executions(
    notebook: Notebook, double: Cluster, choice: Choice, tmp_path: Path
) -> None:
    def press() -> None:
        wait_for((tmp_path / "begun").exists)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=press)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            place(choice, "hold").run(notebook.names["waiting"], folder=str(tmp_path))
    finally:
        thread.join()
        signal.signal(signal.SIGINT, before)
    record = executions(double)[-1]
    double.records.wait_for(lambda: record.is_done)
    assert record.message.closure.phase == WorkflowExecution.ABORTED


def test_a_run_that_is_cancelled_while_an_execution_is_created_aborts_it(
    notebook: Notebook, double: Cluster, choice: Choice, tmp_path: Path
) -> None:
    released = double.faults.hold("CreateExecution", times=1)
    run = place(choice, "hold").start(notebook.names["waiting"], folder=str(tmp_path))
    wait_for(lambda: "CreateExecution" in double.faults.calls)
    before = len(executions(double))
    run.cancel()
    released.set()
    wait_for(lambda: len(executions(double)) > before)
    record = executions(double)[-1]
    double.records.wait_for(lambda: record.is_done)
    assert record.message.closure.phase == WorkflowExecution.ABORTED


def test_a_lost_connection_is_a_notice_and_the_run_goes_on(
    notebook: Notebook, double: Cluster, choice: Choice, tmp_path: Path
) -> None:
    options = place(choice, "hold")
    prepared = options.start(notebook.names["waiting"], folder=str(tmp_path))
    double.faults.be_unavailable("GetExecution", times=4)  # flytekit itself tries four times
    wait_for(lambda: [event for event in prepared.events if event.kind == "notice"])
    double.faults.be_unavailable("GetExecutionData", times=4)
    (tmp_path / "go").touch()
    assert prepared.wait(PATIENCE).result == "begun"
    notices = [event.text for event in prepared.events if event.kind == "notice"]
    assert "doesn't answer" in notices[0]
    assert notices[-1] == ""


def test_an_execution_is_created_once_if_the_answer_is_lost(
    notebook: Notebook, double: Cluster, choice: Choice, tmp_path: Path
) -> None:
    (tmp_path / "go").touch()
    before = len(executions(double))
    with double.door() as door:
        through = flytenb.cluster(Config.for_endpoint(door.endpoint, insecure=True))
        double.faults.cut("CreateExecution", door)
        run = place(through, "hold").run(notebook.names["waiting"], folder=str(tmp_path))
    assert run.result == "begun"
    assert len(executions(double)) == before + 1


def test_an_execution_that_somebody_aborts_fails_its_node(
    notebook: Notebook, double: Cluster, choice: Choice, tmp_path: Path
) -> None:
    run = place(choice, "hold").start(notebook.names["waiting"], folder=str(tmp_path))
    wait_for(lambda: run.nodes["n0"].links)
    choice.attach(dict(run.nodes["n0"].links)["execution"]).cancel()
    assert run.wait(PATIENCE).phase is Phase.FAILED
    assert "was aborted: aborted from a notebook" in run.error.message


def test_an_execution_that_is_refused_fails_its_node(
    notebook: Notebook, double: Cluster, choice: Choice, tmp_path: Path
) -> None:
    double.faults.refuse("CreateExecution", grpc.StatusCode.INVALID_ARGUMENT, "no quota")
    run = place(choice, "hold").start(notebook.names["waiting"], folder=str(tmp_path)).wait(PATIENCE)
    assert (run.phase, run.error.path, run.nodes["n0"].started) == (Phase.FAILED, "n0", None)
    assert "can't launch 'hold.hold': no quota" in card_lines(run)[0]
    assert "no quota" in run_bundle(run, show, open_nodes=("n0",))["text/plain"]
    assert "n0" not in repr(run.timeline())


def test_a_gate_on_the_cluster_is_answered_from_the_run(notebook: Notebook, choice: Choice) -> None:
    asking = notebook.names["asking"]
    run = place(choice, "gated").start(asking, x=3)
    wait_for(lambda: run.waiting)
    assert run.questions == {"n1/n1": "approve ok?"}
    with pytest.raises(flytenb.FlytenbError, match=r"(?s)no gate waits at 'n0'.*waiting: 'n1/n1'"):
        run.approve("n0")
    run.approve("ok")
    assert (run.wait(PATIENCE).result, run.waiting) == (5, ())
    assert place(choice, "gated").options(answers={"ok": True}).run(asking, x=4).result == 6
    cancelled = place(choice, "gated").start(asking, x=3)
    wait_for(lambda: cancelled.waiting)
    cancelled.cancel()
    assert cancelled.wait(PATIENCE).waiting == ()


def test_the_view_says_where_a_node_runs(notebook: Notebook, double: Cluster, choice: Choice, tmp_path: Path) -> None:
    run = place(choice, "hold").start(notebook.names["waiting"], folder=str(tmp_path))
    wait_for((tmp_path / "begun").exists)
    wait_for(lambda: run.nodes["n0"].phase is Phase.RUNNING)
    details = NodeDetails.of(run, "n0", show)
    assert f"on flytesnacks/development at {double.endpoint}" in details.facts
    assert details.state == "running · on the cluster"
    (tmp_path / "go").touch()
    bundle = run_bundle(run.wait(PATIENCE), show, open_nodes=("n0",))
    assert "on the cluster)" in bundle["text/plain"]
    assert run.nodes["n0"].links[0][1] in bundle["text/html"]


def test_a_run_is_kept_with_what_the_cluster_says_and_without_what_it_refuses(
    notebook: Notebook, double: Cluster, choice: Choice, tmp_path: Path
) -> None:
    run = place(choice, "twice").run(notebook.names["one_inside"], x=3)
    whole = RunDescription(run, tmp_path).write()
    again = place(choice, "twice").run(notebook.names["one_inside"], x=3)
    double.faults.deny("GetNodeExecutionData")
    without = RunDescription(again, tmp_path).write()
    for stored, inside in ((whole, {"o0": 4}), (without, {})):
        kept = KeptRun("kept", stored, tmp_path, notebook.names["one_inside"])
        assert (kept.outputs, kept.nodes["n1"].outputs, kept.nodes["n1/n0"].outputs) == ({"o0": 5}, {"o0": 5}, inside)
        assert kept.nodes["n1"].place == run.nodes["n1"].place != ""


def test_what_cant_be_executed_is_refused_before_anything_runs(
    notebook: Notebook, double: Cluster, choice: Choice
) -> None:
    names, here = notebook.names, notebook.names["HERE"]
    here.clear()
    refused = {
        ("failing", "fial"): (UsageError, "expected a task or node of 'failing' .* got 'fial'.*did you mean 'fails'"),
        ("failing", "n7"): (UsageError, "got 'n7'.*known: 'here', 'failing_inside', 'add'"),
        ("failing", "failing"): (UsageError, "%flyte launch"),
        ("constructs", "n2"): (UsageError, "got 'n2'"),
        ("uses_state", "kept"): (ExportError, "STATE"),
    }
    for (entity, node), (error, words) in refused.items():
        with pytest.raises(error, match=f"(?s){words}"):
            place(choice, node).run(names[entity], x=3)
    with pytest.raises(UsageError, match="expected a cluster for node 'add'"):
        flytenb.options(on_cluster={"add": "staging"}).run(names["failing"], x=3)
    with pytest.raises(UsageError, match="a rehearsal runs here"):
        place(choice, "add").rehearse(names["failing"], x=3)
    with pytest.raises(UsageError, match="on_cluster must be a list of nodes"):
        flytenb.options(on_cluster="add")
    assert "CreateExecution" not in double.faults.calls
    double.faults.deny()
    with pytest.raises(ClusterError, match="PermissionDenied"):
        place(choice, "here").run(names["failing"], x=3)
    assert here == []
    double.faults.clear()
    assert place(choice, "add").run(names["uses_state"], x=3).result == 4 + names["STATE"][0]  # `kept` runs here


class _Unavailable(Exception):
    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNAVAILABLE

    def details(self) -> str:
        return "connection refused"


def test_without_a_configured_cluster_the_error_says_so() -> None:
    connection = Connection(Config(platform=PlatformConfig()), None, None)
    with pytest.raises(ClusterError, match="no cluster is configured: set FLYTECTL_CONFIG"), connection.asking("look"):
        raise _Unavailable


def test_the_run_line_places_nodes(notebook: Notebook, double: Cluster, choice: Choice, tmp_path: Path) -> None:
    notebook.names["staging"] = choice
    run = notebook.run("%flyte run failing_inside(x=3) --on staging n0,fails --background").wait(PATIENCE)
    assert {path for path, node in run.nodes.items() if node.place} == {"n0", "n1"}
    with pytest.raises(UsageError, match="expected a cluster after --on, got 'stagign'"):
        notebook.run("%flyte run failing_inside(x=3) --on stagign fails")
    with pytest.raises(UsageError, match="separated by commas"):
        notebook.run("%flyte run failing_inside(x=3) --on staging fails,")


REFERENCES = """
from flytekit import reference_launch_plan, reference_task

@reference_task(project="flytesnacks", domain="development", name={task!r}, version={version!r})
def referred(x: int, by: int) -> int: ...

@reference_task(project="flytesnacks", domain="development", name={task!r}, version={version!r})
def mistaken(x: int, by: str) -> int: ...

@reference_launch_plan(project="flytesnacks", domain="development", name={plan!r}, version={version!r})
def referred_plan(x: int) -> int: ...

@workflow
def referring(x: int) -> int:
    return referred(x=referred_plan(x=here(x=x)), by=10)

@workflow
def mistaking(x: int) -> int:
    return mistaken(x=x, by="1")
"""


def test_a_reference_is_executed_without_registering_anything(
    notebook: Notebook, double: Cluster, choice: Choice
) -> None:
    made = choice.register(notebook.names["twice"])
    notebook.run(REFERENCES.format(task="twice.add", plan="twice.twice", version=made.version))
    double.faults.calls.clear()
    run = place(choice, "referred", "referred_plan").run(notebook.names["referring"], x=3)
    assert run.result == 15
    assert not [name for name in double.faults.calls if name.startswith("Create") and name != "CreateExecution"]
    nodes = {path for path, node in run.nodes.items() if node.phase is Phase.SUCCEEDED}
    assert nodes == {"n0", "n1", "n1/n0", "n1/n1", "n2"}
    with pytest.raises(RegistrationError, match="input 'by' is int there and str here"):
        place(choice, "mistaken").run(notebook.names["mistaking"], x=3)
