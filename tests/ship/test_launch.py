"""Registering and launching from a notebook on the double of a cluster, whose pods run the exported module."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from flyteidl.admin import task_pb2
from flytekit.configuration import FastSerializationSettings, ImageConfig, SerializationSettings
from flytekit.configuration.default_images import DefaultImages
from flytekit.models.admin.workflow import WorkflowSpec
from flytekit.models.task import TaskSpec
from flytekit.tools.translator import get_serializable

import flytenb
from flytenb.bridge.cluster.registration import read_message
from flytenb.errors import ClusterError, ExportError, InputError, RegistrationError, UsageError
from flytenb.model import Phase
from flytenb.session.cluster_choice import Cluster as Choice
from flytenb.session.host import host
from tests.cluster.cluster import Cluster
from tests.ship.notebooks import Notebook, imported, open_notebook
from tests.waiting import PATIENCE, wait_for

pytestmark = [
    pytest.mark.usefixtures("folder"),
    pytest.mark.slow,  # pods are processes
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # loops that IPython leaves
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

CELLS = """
from dataclasses import dataclass
from datetime import timedelta

from flytekit import LaunchPlan, approve, conditional, dynamic, map_task, task, workflow
from flytekit.types.file import FlyteFile

@dataclass
class Pair:
    left: int
    right: str

@task
def add(x: int, by: int = 1) -> int:
    return x + by

@workflow
def twice(x: int) -> int:
    return add(x=add(x=x, by=1), by=1)

@dynamic
def chain(n: int) -> int:
    x = n
    for _ in range(2):
        x = add(x=x, by=n)
    return x

@task(enable_deck=True)
def pair(x: int) -> Pair:
    return Pair(x, "x")

twice_plan = LaunchPlan.get_or_create(twice, "twice_plan")

@workflow
def wf(x: int = 1) -> tuple[list[int], Pair, int]:
    s = twice(x=x)
    c = conditional("big").if_(s > 100).then(add(x=s, by=2)).else_().then(twice(x=s))
    p = twice_plan(x=x)
    return map_task(add)(x=[s, c, p], by=[1, 2, 3]), pair(x=c), chain(n=s)
""".strip().split("\n\n@")  # fmt: skip
MORE = [
    "@task\ndef fails(x: int) -> int:\n    if x:\n        raise ValueError(f'no {x}')\n    return x",
    "@workflow\ndef failing(x: int) -> int:\n    return add(x=fails(x=x), by=1)",
    "@task\ndef shout(given: FlyteFile) -> FlyteFile:\n    with open(given) as read, open('made.txt', 'w') as written:"
    "\n        written.write(read.read() + '!')\n    return FlyteFile('made.txt')",
    "@workflow\ndef asking(x: int) -> int:\n    checked = approve(add(x=x, by=1), 'ok', timeout=timedelta(hours=1))\n"
    "    return add(x=checked, by=1)",
]
STEP = "@task\ndef step_by(x: int) -> int:\n    return x + {by}"


@pytest.fixture(scope="module")
def notebook() -> Iterator[Notebook]:
    with open_notebook() as opened:
        opened.run(*(cell if not number else f"@{cell}" for number, cell in enumerate(CELLS)), *MORE)
        watchers = host.watchers[:]
        host.watchers.clear()  # nothing is shown
        yield opened
        host.watchers[:] = watchers


@pytest.fixture(scope="module")
def launched(notebook: Notebook, double: Cluster) -> Any:
    return flytenb.cluster(double.config()).launch(notebook.names["wf"], x=3).wait(PATIENCE)


def test_an_execution_is_recorded_as_the_local_run_of_the_same_inputs(notebook: Notebook, launched: Any) -> None:
    local = flytenb.run(notebook.names["wf"], x=3)
    assert launched.phase is Phase.SUCCEEDED
    assert not launched.compare(local)
    assert {path: node.phase for path, node in launched.nodes.items()} == {
        path: node.phase for path, node in local.nodes.items()
    }
    assert type(launched.outputs["o1"]) is notebook.names["Pair"]
    assert list(launched.outputs) == ["o0", "o1", "o2"]
    assert launched.result == local.result
    assert {path: node.inputs for path, node in launched.nodes.items() if node.entity is not None} == {
        path: node.inputs for path, node in local.nodes.items() if launched.nodes[path].entity is not None
    }


def test_the_events_of_each_node_are_a_start_and_an_end_inside_those_of_its_container(launched: Any) -> None:
    phases: dict[str, list[Phase]] = {}
    for event in launched.events:
        if event.kind == "phase":
            phases.setdefault(event.path, []).append(event.phase)
    assert set(phases) == {"", *launched.nodes}
    for path, entered in phases.items():
        assert entered in ([Phase.RUNNING, Phase.SUCCEEDED], [Phase.SKIPPED]), path
    starts = [event.path for event in launched.events if event.phase is Phase.RUNNING]
    ends = [event.path for event in launched.events if event.kind == "phase" and event.phase is not Phase.RUNNING]
    for path in phases:
        around = path.rpartition("/")[0]
        assert not path or ends.index(path) < ends.index(around)
        assert not path or path not in starts or starts.index(path) > starts.index(around)


def test_a_run_is_shown_as_a_local_one(launched: Any) -> None:
    from flytenb.display.runs.node_details import NodeDetails
    from flytenb.display.show import show

    assert launched.execution.startswith("flytesnacks:development:")
    assert launched.url.endswith(launched.execution.rpartition(":")[2])
    details = NodeDetails.of(launched, "n0/n0", show)
    assert "x = 3" in details.inputs[0].text or "3" in details.inputs[0].text
    assert details.links
    [deck] = launched.nodes["pair"].decks
    assert "<html" in deck.html


def test_what_would_be_sent_is_what_flytekit_makes_from_the_module(
    notebook: Notebook, double: Cluster, tmp_path: Path
) -> None:
    double.faults.calls.clear()
    with imported(flytenb.export(notebook.names["wf"]).text, tmp_path) as module:
        shipment = flytenb.cluster(double.config(), module=module.__name__).register(notebook.names["wf"], dry_run=True)
        assert not [name for name in double.faults.calls if name.startswith(("Create", "Update"))]
        assert shipment.changes == (f"{module.__name__}.wf is new in flytesnacks/development",)
        fast = FastSerializationSettings(True, ".", "<address of the uploaded archive>")
        images = ImageConfig.auto(None, DefaultImages.default_image())
        place = {"project": "flytesnacks", "domain": "development", "version": shipment.version}
        settings = SerializationSettings(images, **place, fast_serialization_settings=fast)
        made: OrderedDict[Any, Any] = OrderedDict()
        get_serializable(made, settings, module.wf)
    expected = [e.to_flyte_idl() for e in made.values() if isinstance(e, TaskSpec | WorkflowSpec)]
    sent = [read_message(spec) for spec in shipment.specs if spec.kind != "launch_plan"]
    for message in (*expected, *sent):
        if isinstance(message, task_pb2.TaskSpec):
            del message.template.container.env[:]  # of a dynamic: all settings, compressed, with the directory
            continue
        for node in message.template.nodes:
            node.upstream_node_ids.sort()  # a set of flytekit's
    assert {m.template.id.name: m for m in sent} == {m.template.id.name: m for m in expected}
    assert sent[-1].template.id.name == f"{module.__name__}.wf"
    plans = [spec.name for spec in shipment.specs if spec.kind == "launch_plan"]
    assert plans == [f"{module.__name__}.twice", "twice_plan", f"{module.__name__}.wf"]
    assert "def add(x: int, by: int = 1)" in repr(shipment)


def test_unchanged_content_registers_nothing(
    notebook: Notebook, double: Cluster, choice: Choice, launched: Any
) -> None:
    shipment = choice.register(notebook.names["wf"])
    assert shipment.is_registered
    assert not [name for name in double.faults.calls if name.startswith(("Create", "Update"))]
    assert "nothing was sent" in repr(shipment)


def test_what_this_connection_has_sent_is_not_asked_for_again(double: Cluster, choice: Choice) -> None:
    with open_notebook() as opened:
        opened.run("from flytekit import task", STEP.format(by=1))
        choice.register(opened.names["step_by"])
        calls, changes = [], []
        for by, connected in ((2, choice), (3, flytenb.cluster(double.config()))):
            double.faults.calls.clear()
            opened.run(STEP.format(by=by))
            changes.append(connected.register(opened.names["step_by"]).changes)
            calls.append(sorted(double.faults.calls))
    sending = ["CreateTask", "CreateUploadLocation", "ListTasks", "ListTasks"]
    assert calls == [sending, sorted([*sending, "GetTask"])]
    assert [text.partition(": ")[2] for [text] in changes] == ["step_by.py: step_by changed"] * 2


def test_a_constant_that_no_pod_can_read_is_refused(
    notebook: Notebook, double: Cluster, choice: Choice, tmp_path: Path
) -> None:
    (tmp_path / "given.txt").touch()
    notebook.run(f"@workflow\ndef bound() -> FlyteFile:\n    return shout(given={str(tmp_path / 'given.txt')!r})")
    with pytest.raises(RegistrationError, match=r"a constant of workflow 'bound\.bound' is stored on this machine"):
        choice.register(notebook.names["bound"])
    assert not [name for name in double.faults.calls if name in ("CreateTask", "CreateWorkflow")]


def test_a_failure_has_the_message_the_frames_and_the_inputs(notebook: Notebook, choice: Choice) -> None:
    run = choice.launch(notebook.names["failing"], x=3).wait(PATIENCE)
    assert run.phase is Phase.FAILED
    assert (run.error.path, run.error.message, dict(run.error.inputs)) == ("n0", "ValueError: no 3", {"x": 3})
    assert {path: node.phase for path, node in run.nodes.items()} == {"n0": Phase.FAILED, "n1": Phase.ABORTED}
    assert "in fails" in run.error.full()
    with pytest.raises(flytenb.FlytenbError, match="no 3"):
        run.result  # noqa: B018
    replay = choice.replay(run.execution)
    assert (replay.is_same, replay.recorded.path, replay.run.inputs) == (True, "n0", {"x": 3})
    assert "it fails here too: ValueError: no 3" in repr(replay)
    notebook.run("@task\ndef fails(x: int) -> int:\n    return 2 * x")
    changed = choice.register(notebook.names["failing"], dry_run=True)
    assert [text.partition(": ")[2] for text in changed.changes] == ["failing.py: fails changed"]
    with pytest.raises(UsageError, match="node 'n1' has not run there"):
        choice.replay(run, "n1")
    corrected = choice.replay(run, "fails")
    assert (corrected.run.outputs, corrected.is_same) == ({"o0": 6}, False)


def test_a_node_is_replayed(notebook: Notebook, choice: Choice, launched: Any) -> None:
    pair = choice.replay(launched.execution, "pair")
    assert pair.is_same
    assert type(pair.run.outputs["o0"]) is notebook.names["Pair"]
    [fan] = [path for path, node in launched.graph.nodes.items() if node.kind == "map"]
    element = choice.replay(launched.execution, f"{fan}/1")
    assert (element.is_same, element.recorded.inputs) == (True, launched.nodes[f"{fan}/1"].inputs)


def test_the_nodes_that_a_dynamic_task_made_are_those_of_the_notebook(
    notebook: Notebook, choice: Choice, launched: Any
) -> None:
    paths = [path for path in launched.nodes if path.rpartition("/")[2] in ("dn0", "dn1")]
    assert [launched.nodes[path].entity for path in paths] == [notebook.names["add"]] * 2
    replay = choice.replay(launched.execution, paths[1])
    assert (replay.is_same, replay.run.result) == (True, launched.nodes[paths[1]].outputs["o0"])


def test_files_are_uploaded_and_fetched(notebook: Notebook, choice: Choice, tmp_path: Path) -> None:
    given = tmp_path / "given.txt"
    given.write_text("three")
    run = choice.launch(notebook.names["shout"], given=str(given)).wait(PATIENCE)
    assert Path(run.outputs["o0"]).read_text() == "three!"
    assert Path(run.inputs["given"]).read_text() == "three"
    assert choice.replay(run).is_same


def test_a_gate_is_answered_and_an_execution_attached_and_cancelled(notebook: Notebook, choice: Choice) -> None:
    run = choice.launch(notebook.names["asking"], x=3)
    wait_for(lambda: run.waiting)
    assert run.questions == {"n1": "approve ok?"}
    with pytest.raises(flytenb.FlytenbError, match="no gate waits"):
        run.approve("n0")
    attached = choice.attach(run.execution)
    wait_for(lambda: attached.waiting)
    attached.approve("ok")
    assert run.wait(PATIENCE).outputs == attached.wait(PATIENCE).outputs == {"o0": 5}
    cancelled = choice.launch(notebook.names["asking"], x=3)
    wait_for(lambda: cancelled.waiting)
    cancelled.cancel()
    assert cancelled.wait(PATIENCE).phase is Phase.ABORTED
    assert cancelled.nodes["n1"].phase is Phase.ABORTED
    assert cancelled.waiting == ()


def test_magics_find_the_cluster_as_flytekit_does(
    notebook: Notebook, double: Cluster, launched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in double.environment().items():
        monkeypatch.setenv(name, value)
    name = launched.execution.rpartition(":")[2]
    run = notebook.run(f"%flyte attach {name} --project flytesnacks").wait(PATIENCE)
    assert (run.phase, run.outputs) == (Phase.SUCCEEDED, launched.outputs)
    assert notebook.run(f"%flyte replay {name} pair").is_same
    notebook.names["found"] = run
    assert notebook.run("%flyte attach found").execution == run.execution
    assert notebook.run("%flyte attach found.execution").execution == run.execution
    again = notebook.run("%flyte launch wf(x=3) --wait")  # registered already
    assert again.outputs["o0"] == launched.outputs["o0"]


def test_an_execution_is_attached_without_the_cells(notebook: Notebook, choice: Choice, launched: Any) -> None:
    entities = host.session.definitions
    kept = dict(entities)
    entities.clear()
    try:
        run = choice.attach(launched.url).wait(PATIENCE)
        assert (run.phase, run.entity, run.inputs) == (Phase.SUCCEEDED, None, {"x": 3})
        assert run.outputs["o0"] == launched.outputs["o0"]
        assert {path: node.phase for path, node in run.nodes.items()} == {
            path: node.phase for path, node in launched.nodes.items() if not path.startswith("n2/")
        } | {path: node.phase for path, node in run.nodes.items() if path.startswith("n2/")}
    finally:
        entities.update(kept)


def test_a_lost_connection_is_a_notice_and_nothing_is_lost(notebook: Notebook, double: Cluster, choice: Choice) -> None:
    run = choice.launch(notebook.names["asking"], x=3)
    wait_for(lambda: run.waiting)
    double.faults.be_unavailable("ListNodeExecutions", times=4)  # flytekit itself tries four times
    double.faults.send_garbage("GetExecution", times=4)
    wait_for(lambda: len([event for event in run.events if event.kind == "notice"]) >= 2)
    run.approve("n1")
    assert run.wait(PATIENCE).outputs == {"o0": 5}
    notices = [event.text for event in run.events if event.kind == "notice"]
    assert notices
    assert notices[-1] == ""
    assert any("doesn't answer" in text or "can't" in text for text in notices)


def test_errors_are_in_the_words_of_the_server(notebook: Notebook, double: Cluster, choice: Choice) -> None:
    double.faults.refuse("CreateUploadLocation", grpc.StatusCode.PERMISSION_DENIED, "not in this project")
    with pytest.raises(ClusterError, match="not in this project") as caught:
        choice.register(notebook.names["pair"])
    assert caught.value.code == "PERMISSION_DENIED"
    with pytest.raises(ClusterError, match="nowhere"):
        choice.attach("nowhere")
    with pytest.raises(UsageError, match="name of an execution"):
        choice.attach("No such name")


def test_bad_inputs_and_names_are_refused_before_anything_is_sent(
    notebook: Notebook, double: Cluster, choice: Choice, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="expected int for input 'x'"):
        choice.launch(notebook.names["wf"], x="three")
    for taken in ("json", "flytekit", "not a name"):
        with pytest.raises(ExportError, match=taken):
            flytenb.cluster(double.config(), module=taken).register(notebook.names["wf"])
    for file, text in {"nowhere.yaml": None, "empty.yaml": "", "broken.yaml": "admin: [", "list.yaml": "- a"}.items():
        if text is not None:
            (tmp_path / file).write_text(text)
        with pytest.raises(UsageError, match=rf"expected a configuration file of flytekit, got .*{file}"):
            flytenb.cluster(tmp_path / file).register(notebook.names["wf"])
    assert double.faults.calls == []


def test_a_configuration_file_may_be_given_by_a_relative_path(
    notebook: Notebook, double: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that makes the specs has another working directory."""
    (tmp_path / "staging.yaml").write_text(f"admin:\n  endpoint: dns:///{double.endpoint}\n  insecure: true\n")
    monkeypatch.chdir(tmp_path)
    assert flytenb.cluster("staging.yaml", module="relative").register(notebook.names["wf"], dry_run=True).specs


@pytest.mark.parametrize("is_named", [True, False], ids=["by the variable", "by its place"])
def test_a_configuration_file_that_flytekit_finds_by_a_relative_path_has_the_images(
    is_named: bool, notebook: Notebook, double: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that makes the specs has another working directory, where flytekit would find nothing."""
    text = f"admin:\n  endpoint: dns:///{double.endpoint}\n  insecure: true\nimages:\n  mine: example.org/mine:v1\n"
    if not is_named:
        text = f"[platform]\nurl={double.endpoint}\ninsecure=true\n[images]\nmine=example.org/mine:v1\n"
    (tmp_path / ("staging.yaml" if is_named else "flytekit.config")).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLYTE_PLATFORM_URL", raising=False)
    if is_named:
        monkeypatch.setenv("FLYTECTL_CONFIG", "staging.yaml")
    notebook.run("@task(container_image='{{.images.mine}}')\ndef pictured(x: int) -> int:\n    return x")
    made = flytenb.cluster(module="relative_by_variable").register(notebook.names["pictured"], dry_run=True)
    assert [b"example.org/mine:v1" in spec.message for spec in made.specs if spec.kind == "task"] == [True]


def test_what_flytekit_prints_when_it_is_imported_disturbs_nothing(
    notebook: Notebook, double: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its log says on standard output that the file is missing; the endpoint comes from another variable."""
    for name, value in {**double.environment(), "FLYTECTL_CONFIG": str(tmp_path / "nowhere.yaml")}.items():
        monkeypatch.setenv(name, value)
    assert flytenb.cluster(module="printing").register(notebook.names["wf"], dry_run=True).specs


def test_a_variable_that_names_no_configuration_file_is_refused(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """flytekit would use another file, of another cluster."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLYTE_PLATFORM_URL", raising=False)
    monkeypatch.setenv("FLYTECTL_CONFIG", "staging.yaml")
    with pytest.raises(UsageError, match="FLYTECTL_CONFIG names 'staging"):
        flytenb.cluster().register(notebook.names["wf"], dry_run=True)
