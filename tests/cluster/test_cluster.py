"""The double itself, used by plain flytekit: each construct gives what Python gives, in the shape of a real cluster."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from flyteidl.core import catalog_pb2
from flyteidl.core import execution_pb2 as phases
from flyteidl.core import literals_pb2 as lit
from flytekit.models.filters import GreaterThanOrEqual
from flytekit.remote import FlyteRemote

from tests.cluster.cluster import Cluster, start_cluster
from tests.cluster.pods import Pod, Pods
from tests.cluster.records import ExecutionRecord
from tests.cluster.stop import Stop

pytestmark = pytest.mark.slow  # pods are processes

VERSION = "v1"
PLACE = ("flytesnacks", "development")
WORKFLOWS = (
    *(
        "branches",
        "launches",
        "dynamics",
        "maps",
        "strict_maps",
        "gates",
        "handled",
        "remembers",
        "shouts",
        "recovers",
        "waits",
    ),
)
TASKS = ("third_time", "die", "eagerly", "write", "double")
NodePhase, TaskPhase, ExecutionPhase = phases.NodeExecution, phases.TaskExecution, phases.WorkflowExecution


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster that has the flows of `pipeline.py`."""
    source = tmp_path_factory.mktemp("source")
    shutil.copy(Path(__file__).with_name("pipeline.py"), source)
    with start_cluster(tmp_path_factory.mktemp("bucket")) as cluster:
        script = [sys.executable, "-m", "tests.cluster.register", cluster.endpoint, str(source), "pipeline", VERSION]
        done = subprocess.run([*script, *WORKFLOWS, *TASKS], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        yield cluster


@pytest.fixture(scope="module")
def remote(cluster: Cluster) -> FlyteRemote:
    return cluster.remote()


def start(remote: FlyteRemote, name: str, **inputs: Any) -> Any:
    fetch = remote.fetch_task if name in TASKS else remote.fetch_workflow
    return remote.execute(fetch(name=f"pipeline.{name}", version=VERSION), inputs=inputs)


def run(cluster: Cluster, remote: FlyteRemote, name: str, **inputs: Any) -> tuple[Any, ExecutionRecord]:
    """Execute an entity and return what the client sees and what the cluster has of it."""
    started = start(remote, name, **inputs)
    record = cluster.wait(started.id.name)
    return remote.sync_execution(started, sync_nodes=True), record


def nodes(record: ExecutionRecord) -> list[str]:
    return sorted(record.nodes)


def resources(record: ExecutionRecord, node: str) -> list[tuple[int, int, int]]:
    (task,) = record.nodes[node].tasks.values()
    found = task.message.closure.metadata.external_resources
    return [(each.index, each.retry_attempt, each.phase) for each in found]


def test_branches_and_subworkflows(cluster: Cluster, remote: FlyteRemote) -> None:
    execution, record = run(cluster, remote, "branches", n=3)
    assert (execution.outputs["total"], execution.outputs["chosen"]) == (24, 30)
    listed = remote.client.list_node_executions(execution.id)[0]
    assert [(n.id.node_id, n.metadata.is_parent_node) for n in sorted(listed, key=lambda n: n.id.node_id)] == [
        ("end-node", False),
        ("n0", False),
        ("n1", True),
        ("n2", True),
        ("start-node", False),
    ]
    assert nodes(record) == [
        *("end-node", "n0", "n1", "n1-0-end-node", "n1-0-n0", "n1-0-n1", "n1-0-start-node", "n2", "n2-0-n2-n1"),
        "start-node",
    ]
    assert record.nodes["n2-0-n2-n1"].message.metadata.spec_node_id == "n2-n1"


def test_a_list_has_what_has_changed_since(cluster: Cluster, remote: FlyteRemote) -> None:
    execution, record = run(cluster, remote, "remembers", n=1)
    ended = record.nodes["end-node"].message.closure.updated_at.ToJsonString()
    listed = remote.client.list_node_executions(execution.id, filters=[GreaterThanOrEqual("updated_at", ended)])[0]
    assert [node.id.node_id for node in listed] == ["end-node"]


def test_a_launch_plan_is_another_execution(cluster: Cluster, remote: FlyteRemote) -> None:
    execution, record = run(cluster, remote, "launches")
    assert execution.outputs["o0"] == 20
    child = record.nodes["n0"].message.closure.workflow_node_metadata.executionId
    assert cluster.wait(child.name).message.closure.phase == ExecutionPhase.SUCCEEDED


def test_a_dynamic_task_has_children_and_a_graph(cluster: Cluster, remote: FlyteRemote) -> None:
    execution, record = run(cluster, remote, "dynamics", n=3)
    assert execution.outputs["o0"] == 6
    made = ["dn0", "dn1", "dn2", "dn3"]
    inner = [f"n0-0-{name}" for name in (*made, "end-node", "start-node")]
    assert nodes(record) == ["end-node", "n0", *inner, "start-node"]
    assert record.nodes["n0"].message.metadata.is_dynamic
    data = remote.client.get_node_execution_data(execution.node_executions["n0"].id)
    assert [n.id for n in data.dynamic_workflow.compiled_workflow.primary.template.nodes][2:] == made


def test_a_map_task_is_one_task_execution_with_resources(cluster: Cluster, remote: FlyteRemote) -> None:
    execution, record = run(cluster, remote, "maps", ns=[1, 2, 3])
    assert execution.outputs["o0"] == [1, None, 3]
    assert sorted(resources(record, "n0")) == [
        (0, 0, TaskPhase.SUCCEEDED),
        (1, 0, TaskPhase.FAILED),
        (2, 0, TaskPhase.SUCCEEDED),
    ]
    assert record.nodes["n0"].message.metadata.is_array


def test_a_failing_element_fails_the_map_task(cluster: Cluster, remote: FlyteRemote) -> None:
    execution, _ = run(cluster, remote, "strict_maps", ns=[1, 2])
    assert execution.error.message.startswith("[1]: Trace:")


def test_gates_wait_for_signals(cluster: Cluster, remote: FlyteRemote) -> None:
    started = start(remote, "gates")
    record = cluster.records.execution(started.id.to_flyte_idl())
    cluster.records.wait_for(lambda: "give-n" in record.signals)
    remote.set_input("give-n", started.id.name, 4)
    cluster.records.wait_for(lambda: "look-at-it" in record.signals)
    assert {s.id.signal_id for s in remote.list_signals(started.id.name)} == {"give-n", "look-at-it"}
    remote.approve("look-at-it", started.id.name)
    cluster.wait(started.id.name)
    assert remote.sync_execution(started).outputs["o0"] == 16


def test_a_failure_handler_gets_the_error(cluster: Cluster, remote: FlyteRemote) -> None:
    execution, record = run(cluster, remote, "handled", n=2)
    assert "ValueError: 2 is even" in execution.error.message
    assert record.nodes["fn0"].message.closure.phase == NodePhase.SUCCEEDED
    (written,) = cluster.storage.root.glob(f"pods/{execution.id.name}-*/cleaned")
    assert written.read_text().startswith("fn0 Trace:")
    assert "n1" not in record.nodes


def test_attempts(cluster: Cluster, remote: FlyteRemote) -> None:
    execution, record = run(cluster, remote, "third_time", n=5)
    assert execution.outputs["o0"] == 5
    (node,) = (each for each in record.nodes.values() if each.tasks)
    assert [(t.number, t.message.closure.phase) for t in node.tasks.values()] == [
        (0, TaskPhase.FAILED),
        (1, TaskPhase.FAILED),
        (2, TaskPhase.SUCCEEDED),
    ]


def test_a_pod_that_dies_is_started_four_times(cluster: Cluster, remote: FlyteRemote) -> None:
    execution, record = run(cluster, remote, "die", n=3)
    assert execution.error.code == "RetriesExhausted|Interrupted"
    assert "terminated with exit code (3)" in execution.error.message
    (node,) = (each for each in record.nodes.values() if each.tasks)
    assert len(node.tasks) == 4


def test_a_time_limit(cluster: Cluster, remote: FlyteRemote) -> None:
    execution, _ = run(cluster, remote, "waits", n=1)
    assert execution.error.code == "RetriesExhausted|TimeoutExpired"


def test_a_second_execution_uses_the_cache(cluster: Cluster, remote: FlyteRemote) -> None:
    found = [run(cluster, remote, "remembers", n=7) for _ in range(2)]
    assert [execution.outputs["o0"] for execution, _ in found] == [16, 16]
    cached = [record.nodes["n0"].message.closure.task_node_metadata.cache_status for _, record in found]
    status = catalog_pb2.CatalogCacheStatus
    assert cached == [status.CACHE_POPULATED, status.CACHE_HIT]
    assert [len(record.nodes["n0"].tasks) for _, record in found] == [1, 0]


def test_an_eager_task_executes_through_the_wire(cluster: Cluster, remote: FlyteRemote) -> None:
    execution, _ = run(cluster, remote, "eagerly", n=2)
    assert execution.outputs["o0"] == 8


def test_a_file_and_a_raw_container(cluster: Cluster, remote: FlyteRemote) -> None:
    written, _ = run(cluster, remote, "write", text="hello")
    assert Path(written.outputs["o0"]).read_text() == "hello"
    link = remote.client.get_download_artifact_signed_url("pipelinewrite", *PLACE, written.id.name)
    assert "<html" in requests.get(link.signed_url[0]).text
    address = f"flyte://v1/{'/'.join(PLACE)}/{written.id.name}/pipelinewrite/0/i/text"
    assert remote.client.get_data(address).literal.scalar.primitive.string_value == "hello"
    shouted, _ = run(cluster, remote, "shouts", text="hello")
    assert shouted.outputs["o0"].strip() == "HELLO"


def test_a_recovered_execution_runs_what_had_not_succeeded(
    cluster: Cluster, remote: FlyteRemote, tmp_path: Path
) -> None:
    flow = remote.fetch_workflow(name="pipeline.recovers", version=VERSION)
    started = remote.execute(flow, inputs={"n": 3}, envs={"MARK": str(tmp_path / "mark")})
    assert cluster.wait(started.id.name).message.closure.phase == ExecutionPhase.FAILED
    recovered = remote.client.recover_execution(started.id, name="recovered")
    record = cluster.wait(recovered.name)
    assert record.outputs.literals["o0"].scalar.primitive.integer == 6
    phases_of = {name: each.message.closure.phase for name, each in record.nodes.items()}
    assert (phases_of["n0"], phases_of["n1"]) == (NodePhase.RECOVERED, NodePhase.SUCCEEDED)


def test_a_pod_that_is_forked_sees_what_one_that_is_started_anew_sees(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).with_name("pipeline.py"), tmp_path)
    archive = tmp_path / "script_mode.tar.gz"
    subprocess.run(["tar", "-czf", str(archive), "-C", str(tmp_path), "pipeline.py"], check=True)
    (tmp_path / "inputs.pb").touch()
    seen = []
    for name, is_warm in (("pod-1", True), ("pod-2", False)):
        words = (
            *("pyflyte-fast-execute", "--additional-distribution", str(archive), "--dest-dir", ".", "--"),
            *("pyflyte-execute", "--inputs", str(tmp_path / "inputs.pb"), "--output-prefix", str(tmp_path / name)),
            *("--raw-output-data-prefix", str(tmp_path / "raw"), "--resolver"),
            *("flytekit.core.python_auto_container.default_task_resolver", "--"),
            *("task-module", "pipeline", "task-name", "surroundings"),
        )
        pods = Pods(is_warm=is_warm)
        assert pods.run(Pod(words, tmp_path / f"{name}-home", tmp_path / f"{name}.txt"), Stop()) == 0
        pods.close()
        outputs = lit.LiteralMap.FromString((tmp_path / name / "outputs.pb").read_bytes())
        seen.append(json.loads(outputs.literals["o0"].scalar.primitive.string_value.replace(name, "")))
    assert seen[0] == seen[1]


def test_an_aborted_execution(cluster: Cluster, remote: FlyteRemote) -> None:
    started = start(remote, "gates")
    record = cluster.records.execution(started.id.to_flyte_idl())
    cluster.records.wait_for(lambda: "give-n" in record.signals)
    remote.terminate(started, "enough")
    cluster.wait(started.id.name)
    assert record.message.closure.phase == ExecutionPhase.ABORTED
    assert record.message.closure.abort_metadata.cause == "enough"
