"""What the double refuses, and what can be wrong on the way to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import grpc
import pytest
from flyteidl.admin import common_pb2, execution_pb2, launch_plan_pb2, task_pb2, workflow_pb2
from flyteidl.core import identifier_pb2 as ids
from flyteidl.core import interface_pb2 as iface
from flyteidl.core import literals_pb2 as lit
from flyteidl.core import tasks_pb2
from flyteidl.core import types_pb2 as typ
from flyteidl.core import workflow_pb2 as wf
from flyteidl.service.admin_pb2_grpc import AdminServiceStub
from flytekit.configuration import AuthType, Config, PlatformConfig
from flytekit.remote import FlyteRemote

from tests.cluster.cluster import Cluster, start_cluster
from tests.cluster.failure import Failure
from tests.cluster.settings import Scope, Settings

Code = grpc.StatusCode
INTEGER, STRING = (typ.LiteralType(simple=kind) for kind in (typ.INTEGER, typ.STRING))
ONE = lit.Literal(scalar=lit.Scalar(primitive=lit.Primitive(integer=1)))
TEXT = lit.Literal(scalar=lit.Scalar(primitive=lit.Primitive(string_value="1")))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    settings = Settings(stand_ins={"warehouse": lambda template, inputs: {"n": inputs["n"]}})
    with start_cluster(tmp_path_factory.mktemp("bucket"), settings) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def stub(cluster: Cluster) -> Iterator[AdminServiceStub]:
    """A client that has registered a task, a workflow and a launch plan of version `1`."""
    with grpc.insecure_channel(cluster.endpoint) as channel:
        stub = AdminServiceStub(channel)
        stub.CreateTask(task())
        stub.CreateWorkflow(workflow())
        stub.CreateLaunchPlan(launch_plan())
        yield stub


@pytest.fixture(autouse=True)
def no_faults(cluster: Cluster) -> Iterator[None]:
    yield
    cluster.faults.clear()


def test_a_task_type_on_the_whitelist_is_allowed_in_its_place(tmp_path: Path) -> None:
    scopes = {"python-task": [Scope("sales"), Scope("flytesnacks", "staging")], "spark": [Scope()]}
    with start_cluster(tmp_path, Settings(whitelist=scopes)) as cluster, grpc.insecure_channel(cluster.endpoint) as to:
        stub = AdminServiceStub(to)
        with pytest.raises(grpc.RpcError, match="task type must be whitelisted before use"):
            stub.CreateTask(task())
        stub.CreateTask(task(domain="staging"))
        request = task()
        request.spec.template.type = "spark"
        stub.CreateTask(request)


def test_a_workflow_whose_closure_is_too_large_is_refused(tmp_path: Path) -> None:
    settings = Settings(workflow_size_limit="1Ki")
    with start_cluster(tmp_path, settings) as cluster, grpc.insecure_channel(cluster.endpoint) as to:
        stub = AdminServiceStub(to)
        stub.CreateTask(task())
        with pytest.raises(grpc.RpcError, match=r"Workflow closure size exceeds max limit \[1Ki\]"):
            stub.CreateWorkflow(workflow(count=20))


def test_a_long_message_has_its_start_and_its_end() -> None:
    message = Failure("USER", f"a{'b' * 200_000}c").error.message
    assert (message[:2], message[-2:], len(message) < 103_000) == ("ab", "bc", True)
    assert Failure("USER", "short").error.message == "short"


def test_large_values_are_links(tmp_path: Path) -> None:
    stand_ins = {"warehouse": lambda template, inputs: {"n": inputs["n"]}}
    with start_cluster(tmp_path, Settings(stand_ins=stand_ins, inline_limit=10)) as cluster:
        with grpc.insecure_channel(cluster.endpoint) as channel:
            stub = AdminServiceStub(channel)
            request = task()
            request.spec.template.ClearField("container")
            request.spec.template.type = "warehouse"
            stub.CreateTask(request)
            stub.CreateWorkflow(workflow())
            stub.CreateLaunchPlan(launch_plan())
            made = stub.CreateExecution(execution(n=ONE))
            cluster.wait(made.id.name)
            found = stub.GetExecutionData(execution_pb2.WorkflowExecutionGetDataRequest(id=made.id))
        assert not found.full_outputs.literals
        with urlopen(found.outputs.url) as answer:
            values = lit.LiteralMap.FromString(answer.read())
        assert (values.literals["n"], found.outputs.bytes) == (ONE, values.ByteSize())


def identifier(kind: int, version: str = "1", **changes: str) -> ids.Identifier:
    parts = {"project": "flytesnacks", "domain": "development", "name": "m.entity", "version": version, **changes}
    return ids.Identifier(resource_type=kind, **parts)


def interface() -> iface.TypedInterface:
    variables = iface.VariableMap(variables={"n": iface.Variable(type=INTEGER)})
    return iface.TypedInterface(inputs=variables, outputs=variables)


def task(
    version: str = "1", cpu: str = "1", image: str = "image", gpu: str = "", **changes: str
) -> task_pb2.TaskCreateRequest:
    resources = tasks_pb2.Resources(requests=[{"name": tasks_pb2.Resources.CPU, "value": cpu}])
    if gpu:
        resources.requests.add(name=tasks_pb2.Resources.GPU, value=gpu)
    container = tasks_pb2.Container(image=image, args=["true"], resources=resources)
    template = tasks_pb2.TaskTemplate(
        id=identifier(ids.TASK, version, **changes),
        type="python-task",
        metadata=tasks_pb2.TaskMetadata(runtime=tasks_pb2.RuntimeMetadata(version="1")),
        interface=interface(),
        container=container,
    )
    return task_pb2.TaskCreateRequest(id=template.id, spec=task_pb2.TaskSpec(template=template))


def pod_task() -> task_pb2.TaskCreateRequest:
    request = task("2")
    container = {"name": "primary", "resources": {"requests": {"memory": "2Gi"}}}
    request.spec.template.k8s_pod.pod_spec.update({"containers": [container]})
    return request


def promise(node: str, variable: str = "n") -> lit.BindingData:
    return lit.BindingData(promise=typ.OutputReference(node_id=node, var=variable))


def workflow(
    version: str = "1", count: int = 1, bound: lit.BindingData | None = None, task_version: str = "1"
) -> workflow_pb2.WorkflowCreateRequest:
    nodes = [
        wf.Node(
            id=f"n{i}",
            inputs=[lit.Binding(var="n", binding=bound or promise("start-node"))],
            task_node=wf.TaskNode(reference_id=identifier(ids.TASK, task_version)),
        )
        for i in range(count)
    ]
    template = wf.WorkflowTemplate(
        id=identifier(ids.WORKFLOW, version),
        interface=interface(),
        nodes=nodes,
        outputs=[lit.Binding(var="n", binding=promise("n0"))],
    )
    return workflow_pb2.WorkflowCreateRequest(id=template.id, spec=workflow_pb2.WorkflowSpec(template=template))


def launch_plan(version: str = "1", **fixed: lit.Literal) -> launch_plan_pb2.LaunchPlanCreateRequest:
    spec = launch_plan_pb2.LaunchPlanSpec(
        workflow_id=identifier(ids.WORKFLOW), fixed_inputs=lit.LiteralMap(literals=fixed)
    )
    return launch_plan_pb2.LaunchPlanCreateRequest(id=identifier(ids.LAUNCH_PLAN, version), spec=spec)


def scheduled(
    request: launch_plan_pb2.LaunchPlanCreateRequest, time_input: str
) -> launch_plan_pb2.LaunchPlanCreateRequest:
    request.spec.entity_metadata.schedule.cron_schedule.schedule = "0 3 * * *"
    request.spec.entity_metadata.schedule.kickoff_time_input_arg = time_input
    return request


def with_conditions(request: launch_plan_pb2.LaunchPlanCreateRequest) -> launch_plan_pb2.LaunchPlanCreateRequest:
    request.spec.entity_metadata.launch_conditions.type_url = "type.googleapis.com/conditions"
    return request


def with_default(declared: typ.LiteralType, default: lit.Literal) -> launch_plan_pb2.LaunchPlanCreateRequest:
    request = launch_plan("2")
    parameter = iface.Parameter(var=iface.Variable(type=declared), default=default)
    request.spec.default_inputs.CopyFrom(iface.ParameterMap(parameters={"n": parameter}))
    return request


def execution(name: str = "", version: str = "1", **inputs: lit.Literal) -> execution_pb2.ExecutionCreateRequest:
    return execution_pb2.ExecutionCreateRequest(
        project="flytesnacks",
        domain="development",
        name=name,
        spec=execution_pb2.ExecutionSpec(launch_plan=identifier(ids.LAUNCH_PLAN, version)),
        inputs=lit.LiteralMap(literals=inputs),
    )


REFUSED: dict[str, tuple[str, Callable[[], Any], Code, str]] = {
    "identical task": ("CreateTask", task, Code.ALREADY_EXISTS, "task with identical structure already exists"),
    "different task": (
        *("CreateTask", lambda: task(image="other"), Code.INVALID_ARGUMENT),
        "m.entity task with different structure already exists. (Please register a new version of the task):",
    ),
    "too much processor": (
        *("CreateTask", lambda: task("2", cpu="3"), Code.INVALID_ARGUMENT),
        "Requested CPU default [3] is greater than current limit set in the platform configuration [2].",
    ),
    "too much memory in a pod": (
        *("CreateTask", pod_task, Code.INVALID_ARGUMENT),
        "Requested MEMORY default [2Gi] is greater than current limit set in the platform configuration [1Gi].",
    ),
    "a part of a GPU": (
        *("CreateTask", lambda: task("2", gpu="500m"), Code.INVALID_ARGUMENT),
        "must be a whole number, got: 500m instead",
    ),
    "a schedule without a required input": (
        *("CreateLaunchPlan", lambda: scheduled(launch_plan("2"), ""), Code.INVALID_ARGUMENT),
        "Cannot create a launch plan with a schedule if there is an unbound required input. [n] is required",
    ),
    "the time of a schedule for an input that is bound": (
        *("CreateLaunchPlan", lambda: scheduled(launch_plan("2", n=ONE), "n"), Code.INVALID_ARGUMENT),
        "does not point to a free input. [n] is not free or does not exist.",
    ),
    "the time of a schedule for an int": (
        *("CreateLaunchPlan", lambda: scheduled(launch_plan("2"), "n"), Code.INVALID_ARGUMENT),
        "KickoffTimeInputArg must reference a datetime input. [n] is a",
    ),
    "a default of another type than its own": (
        *("CreateLaunchPlan", lambda: with_default(INTEGER, TEXT), Code.INVALID_ARGUMENT),
        "Type mismatch for Parameter n in default_inputs",
    ),
    "unknown method": (
        *("GetExecutionMetrics", lambda: common_pb2.ObjectGetRequest(), Code.UNIMPLEMENTED),
        "unknown method GetExecutionMetrics",
    ),
    "unknown project": (
        *("CreateTask", lambda: task(project="nowhere"), Code.INVALID_ARGUMENT),
        "failed to validate that project [nowhere] and domain [development] are registered",
    ),
    "unknown domain": (
        *("CreateTask", lambda: task(domain="moon"), Code.INVALID_ARGUMENT),
        "domain [moon] is unrecognized by system",
    ),
    "no version": ("CreateTask", lambda: task(""), Code.INVALID_ARGUMENT, "missing version"),
    "no image": ("CreateTask", lambda: task("2", image=""), Code.INVALID_ARGUMENT, "missing image"),
    "too many nodes": (
        *("CreateWorkflow", lambda: workflow("2", 101), Code.INVALID_ARGUMENT),
        "exceeds limit (101 > 100)",
    ),
    "identical workflow": (
        *("CreateWorkflow", workflow, Code.ALREADY_EXISTS),
        "workflow with identical structure already exists",
    ),
    "different workflow": (
        *("CreateWorkflow", lambda: workflow(count=2), Code.INVALID_ARGUMENT),
        "m.entity workflow with different structure already exists.",
    ),
    "unknown task": (
        *("CreateWorkflow", lambda: workflow("2", task_version="9"), Code.INVALID_ARGUMENT),
        "missing entity of type TASK",
    ),
    "wrong type": (
        *("CreateWorkflow", lambda: workflow("2", bound=lit.BindingData(scalar=TEXT.scalar)), Code.INVALID_ARGUMENT),
        "Variable [n] (type [simple:STRING]) doesn't match expected type [simple:INTEGER].",
    ),
    "unknown node": (
        *("CreateWorkflow", lambda: workflow("2", bound=promise("n7")), Code.INVALID_ARGUMENT),
        "Code: NodeReferenceNotFound, Node Id: n7, Description: Referenced node [n7] not found.",
    ),
    "unknown output": (
        *("CreateWorkflow", lambda: workflow("2", bound=promise("start-node", "m")), Code.INVALID_ARGUMENT),
        "Variable [m] not found on node [start-node].",
    ),
    "cycle": (
        *("CreateWorkflow", lambda: workflow("2", bound=promise("n0")), Code.INVALID_ARGUMENT),
        "Code: UnreachableNodes",
    ),
    "identical launch plan": (
        *("CreateLaunchPlan", launch_plan, Code.ALREADY_EXISTS),
        "launch plan with identical structure already exists",
    ),
    "different launch plan": (
        *("CreateLaunchPlan", lambda: launch_plan(n=ONE), Code.INVALID_ARGUMENT),
        "m.entity launch plan with different structure already exists.",
    ),
    "unexpected fixed input": (
        *("CreateLaunchPlan", lambda: launch_plan("2", m=ONE), Code.INVALID_ARGUMENT),
        "unexpected fixed_input m",
    ),
    "launch conditions": (
        *("CreateLaunchPlan", lambda: with_conditions(launch_plan("2")), Code.INVALID_ARGUMENT),
        "Launch condition must be empty, found ",
    ),
    "missing input": ("CreateExecution", execution, Code.INVALID_ARGUMENT, "expected_inputs n missing"),
    "unknown input": ("CreateExecution", lambda: execution(n=ONE, m=ONE), Code.INVALID_ARGUMENT, "invalid input m"),
    "input of another type": (
        *("CreateExecution", lambda: execution(n=TEXT), Code.INVALID_ARGUMENT),
        "invalid n input wrong type.",
    ),
    "bad execution name": (
        *("CreateExecution", lambda: execution("1st", n=ONE), Code.INVALID_ARGUMENT),
        "invalid name format: 1st, does not match regex '^[a-z][a-z\\-0-9]*$'",
    ),
    "long execution name": (
        *("CreateExecution", lambda: execution("a" * 64, n=ONE), Code.INVALID_ARGUMENT),
        "size of name exceeded length 63",
    ),
    "unknown launch plan": (
        *("CreateExecution", lambda: execution(version="9", n=ONE), Code.NOT_FOUND),
        "missing entity of type LAUNCH_PLAN",
    ),
    "unknown entity": (
        *("GetTask", lambda: common_pb2.ObjectGetRequest(id=identifier(ids.TASK, "9")), Code.NOT_FOUND),
        "missing entity of type TASK",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_request_that_flyteadmin_refuses(case: str, stub: AdminServiceStub) -> None:
    method, request, code, words = REFUSED[case]
    with pytest.raises(grpc.RpcError) as raised:
        getattr(stub, method)(request())
    assert (raised.value.code(), words in raised.value.details()) == (code, True), raised.value.details()


def test_a_name_that_was_used_is_an_error_of_the_second_execution(stub: AdminServiceStub, cluster: Cluster) -> None:
    stub.CreateExecution(execution("taken", n=ONE))
    with pytest.raises(grpc.RpcError) as raised:
        stub.CreateExecution(execution("taken", n=ONE))
    assert raised.value.code() == Code.ALREADY_EXISTS
    cluster.wait("taken")


def test_a_task_without_a_container_is_run_by_its_stand_in(stub: AdminServiceStub, cluster: Cluster) -> None:
    ended = []
    for kind in ("warehouse", "unknown"):
        request = task(name=f"m.{kind}")
        request.spec.template.type = kind
        request.spec.template.ClearField("container")
        stub.CreateTask(request)
        asked = execution(n=ONE)
        asked.spec.launch_plan.CopyFrom(request.id)
        ended.append(cluster.wait(stub.CreateExecution(asked).id.name))
    assert ended[0].outputs.literals["n"] == ONE
    assert ended[1].message.closure.error.message == "no plugin for task type [unknown]"


PROJECT = common_pb2.NamedEntityIdentifierListRequest(project="flytesnacks", domain="development", limit=10)


def test_denied_and_unavailable(stub: AdminServiceStub, cluster: Cluster) -> None:
    cluster.faults.deny("ListWorkflowIds", times=1)
    cluster.faults.be_unavailable("ListWorkflowIds", times=1)
    for code in (Code.PERMISSION_DENIED, Code.UNAVAILABLE):
        with pytest.raises(grpc.RpcError) as raised:
            stub.ListWorkflowIds(PROJECT)
        assert raised.value.code() == code
    assert len(stub.ListWorkflowIds(PROJECT).entities) == 1


def test_garbage_and_a_request_that_is_held(stub: AdminServiceStub, cluster: Cluster) -> None:
    cluster.faults.send_garbage("ListWorkflowIds", times=1)
    with pytest.raises(grpc.RpcError) as raised:
        stub.ListWorkflowIds(PROJECT)
    assert raised.value.code() == Code.INTERNAL
    released = cluster.faults.hold("ListWorkflowIds", times=1)
    answer = stub.ListWorkflowIds.future(PROJECT)
    assert not answer.done()
    released.set()
    assert len(answer.result().entities) == 1


def test_a_connection_that_is_cut_amid_a_call(stub: AdminServiceStub, cluster: Cluster) -> None:
    own_connection = [("grpc.use_local_subchannel_pool", 1)]
    with cluster.door() as door:
        cluster.faults.cut("ListWorkflowIds", door)
        with grpc.insecure_channel(door.endpoint, own_connection) as channel, pytest.raises(grpc.RpcError) as raised:
            AdminServiceStub(channel).ListWorkflowIds(PROJECT)
        assert raised.value.code() == Code.UNAVAILABLE
        with grpc.insecure_channel(door.endpoint, own_connection) as channel:
            assert len(AdminServiceStub(channel).ListWorkflowIds(PROJECT).entities) == 1


def test_a_client_gets_another_token_when_the_first_has_expired(tmp_path: Any) -> None:
    with start_cluster(tmp_path, Settings(needs_token=True)) as cluster:
        platform = PlatformConfig(
            endpoint=cluster.endpoint,
            insecure=True,
            auth_mode=AuthType.CLIENTSECRET,
            client_id="client",
            client_credentials_secret="secret",
        )
        remote = FlyteRemote(Config(platform=platform), "flytesnacks", "development", interactive_mode_enabled=False)
        for _ in range(2):
            assert [project.id for project in remote.list_projects()] == ["flytesnacks"]
            cluster.expire_tokens()
        with grpc.insecure_channel(cluster.endpoint) as channel, pytest.raises(grpc.RpcError) as raised:
            AdminServiceStub(channel).ListWorkflowIds(PROJECT)
        assert raised.value.code() == Code.UNAUTHENTICATED
