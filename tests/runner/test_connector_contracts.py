"""Connectors meet what a cluster gives them and asks of them: metadata, phases, identifiers, templates of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flyteidl.core.execution_pb2 import TaskExecution, TaskLog
from flytekit import kwtypes
from flytekit.core.base_task import PythonTask, TaskMetadata
from flytekit.core.interface import Interface
from flytekit.core.python_function_task import PythonFunctionTask
from flytekit.extend.backend.base_connector import (
    AsyncConnectorBase,
    AsyncConnectorExecutorMixin,
    ConnectorRegistry,
    Resource,
    ResourceMeta,
    SyncConnectorBase,
    SyncConnectorExecutorMixin,
)

import flytenb
from flytenb.display.runs.node_details import web_links
from flytenb.model import Phase

SUCCEEDED = TaskExecution.SUCCEEDED


@dataclass
class Ticket(ResourceMeta):
    number: int = 0
    notes: list[str] = field(default_factory=list)
    anything: Any = None


class Scripted(AsyncConnectorBase):
    """Does what the test says, and keeps what it is given."""

    name = "scripted"

    def __init__(self) -> None:
        super().__init__(task_type_name="scripted", metadata_type=Ticket)
        self.create_with: Callable[[], Any] = Ticket
        self.get_with: Callable[[Any], Any] = lambda meta: Resource(phase=SUCCEEDED, outputs={"o0": 1})
        self.seen: list[Any] = []

    async def create(self, task_template: Any, output_prefix: str, inputs: Any, task_execution_metadata: Any) -> Any:
        self.seen.append((task_template, output_prefix, inputs, task_execution_metadata))
        return self.create_with()

    async def get(self, resource_meta: Any) -> Any:
        return self.get_with(resource_meta)

    async def delete(self, resource_meta: Any) -> None:
        self.seen.append("deleted")


class Immediate(SyncConnectorBase):
    name = "immediate"

    def __init__(self) -> None:
        super().__init__(task_type_name="immediate")

    def do(self, task_template: Any, output_prefix: str, inputs: Any) -> Any:
        link = TaskLog(name="<b>", uri="javascript:alert(1)")
        return Resource(
            phase=SUCCEEDED, outputs={"o0": 2}, log_links=[link, TaskLog(name="", uri="https://a.example/")]
        )


class ScriptedTask(AsyncConnectorExecutorMixin, PythonTask[Any]):  # type: ignore[misc]
    def __init__(self, task_type: str = "scripted", **metadata: Any) -> None:
        interface = Interface(outputs=kwtypes(o0=int))
        super().__init__(task_type, task_type, None, interface, metadata=TaskMetadata(**metadata))
        self.custom: dict[str, Any] = {"names": ["{inputs.x}"]}

    def get_custom(self, settings: Any) -> dict[str, Any]:
        return self.custom


class ImmediateTask(SyncConnectorExecutorMixin, PythonTask[Any]):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__("immediate", "immediate", None, Interface(outputs=kwtypes(o0=int)))


class LocalTask(AsyncConnectorExecutorMixin, PythonFunctionTask[Any]):  # type: ignore[misc]
    """A task that runs its function unless its type has a connector, as Spark's does."""

    def execute(self, **inputs: Any) -> Any:
        return PythonFunctionTask.execute(self, **inputs)


@pytest.fixture
def connector() -> Iterator[Scripted]:
    made = Scripted()
    ConnectorRegistry.register(made, override=True)
    ConnectorRegistry.register(Immediate(), override=True)
    yield made


GARBAGE: list[tuple[str, Any, Any, Any]] = [
    ("values by name or a LiteralMap as outputs", {"outputs": [1]}, {"outputs": "o0"}, {"outputs": 1}),
    ("a list of flyteidl's TaskLog as log_links", {"log_links": ["x"]}, {"log_links": "x"}, {"log_links": 1}),
    ("JSON data as custom_info", {"custom_info": {"x": {1}}}, {"custom_info": [1]}, {"custom_info": {"x": b"y"}}),
    ("a text as message", {"message": 1}, {"message": ["x"]}, {"message": ValueError("x")}),
]
"""What a connector must return, and fields of its Resource with something else, which flytekit's service refuses."""


@pytest.mark.parametrize(
    ("create", "get", "words", "is_deleted"),
    [
        (lambda: None, None, "Scripted.create must return a ResourceMeta, got None", True),
        (lambda: Ticket(anything=object()), None, "metadata that Scripted.create returned can't be encoded", True),
        (Ticket, lambda meta: None, "Scripted.get must return a Resource, got None", True),
        (Ticket, lambda meta: Resource(phase=TaskExecution.UNDEFINED), "must return a phase of flyteidl's", True),
        (Ticket, lambda meta: Resource(phase="done"), "must return a phase of flyteidl's.*got 'done'", True),
        *(
            (Ticket, lambda meta, found=found: Resource(phase=SUCCEEDED, **found), f"get must return {words}", True)
            for words, *garbage in GARBAGE
            for found in garbage
        ),
        (Ticket, lambda meta: Resource(phase=TaskExecution.ABORTED), "the phase is aborted, without a message", False),
        (
            Ticket,
            lambda meta: Resource(phase=SUCCEEDED, outputs={"other": 1}),
            "of task 'scripted' succeeded without output 'o0'",
            False,
        ),
        (
            Ticket,
            lambda meta: Resource(phase=SUCCEEDED),
            r"succeeded without output 'o0'\n  hint: return Resource\(phase=…, "
            r"outputs=\{'o0': …\}\) from Scripted.get, let the job store outputs.pb",
            False,
        ),
        (
            Ticket,
            lambda meta: Resource(phase=SUCCEEDED, outputs={"o0": "text"}),
            r"(?s)outputs of task 'scripted' at position o0.*Expected value of type",
            False,
        ),
    ],
)
def test_a_connector_that_breaks_its_contract_fails_the_node(
    connector: Scripted, create: Any, get: Any, words: str, is_deleted: bool
) -> None:
    connector.create_with, connector.get_with = create, get or connector.get_with
    done = flytenb.start(ScriptedTask()).wait()
    assert done.phase is Phase.FAILED
    with pytest.raises(Exception, match=words):
        _ = done.result
    assert ("deleted" in connector.seen) is is_deleted


@pytest.mark.parametrize("found", [found for _, *garbage in GARBAGE for found in garbage], ids=str)
def test_flytekit_s_service_refuses_the_same(found: Any) -> None:
    resource = Resource(**{"phase": SUCCEEDED, "outputs": {"o0": 1}, **found})
    with pytest.raises(Exception, match=r"."):
        asyncio.run(resource.to_flyte_idl())


def test_each_call_gets_the_metadata_as_a_cluster_stored_it(connector: Scripted) -> None:
    made = Ticket(number=7)

    def get(meta: Ticket) -> Resource:
        meta.notes.append("seen")
        phase = SUCCEEDED if meta.number == 7 and len(polls) == 2 else TaskExecution.RUNNING
        polls.append(list(meta.notes))
        return Resource(phase=phase, outputs={"o0": 1})

    polls: list[list[str]] = []
    connector.create_with, connector.get_with = lambda: made, get
    assert flytenb.run(ScriptedTask()).result == 1
    assert polls == [["seen"]] * 3
    assert made.notes == []


def test_create_gets_the_identifiers_of_the_attempt(connector: Scripted) -> None:
    connector.get_with = lambda meta: Resource(
        phase=SUCCEEDED if len(connector.seen) > 1 else TaskExecution.RETRYABLE_FAILED, outputs={"o0": 1}
    )
    flytenb.run(ScriptedTask(retries=1))
    found = [seen[3].task_execution_id for seen in connector.seen]
    assert [(e.node_execution_id.node_id, e.retry_attempt) for e in found] == [("n0", 0), ("n0", 1)]
    assert len({e.node_execution_id.execution_id.name for e in found}) == 1
    assert found[0].to_flyte_idl().retry_attempt == 0


def test_a_connector_may_change_its_template_but_not_the_task(connector: Scripted) -> None:
    task = ScriptedTask()

    def create() -> Ticket:
        connector.seen[-1][0].custom["names"][0] = "filled"
        return Ticket()

    connector.create_with = create
    flytenb.run(task)
    assert task.custom == {"names": ["{inputs.x}"]}


def test_links_are_kept_and_only_those_of_the_web_are_opened(connector: Scripted) -> None:
    run = flytenb.run(ImmediateTask())
    assert run.nodes["n0"].links == (("<b>", "javascript:alert(1)"), ("", "https://a.example/"))
    assert run.nodes["n0"].log == "succeeded\n<b>: javascript:alert(1)\n: https://a.example/\n"
    assert web_links(run.nodes["n0"]) == (("https://a.example/", "https://a.example/"),)


def test_a_task_with_an_execute_of_its_own_runs_itself(connector: Scripted) -> None:
    def body() -> int:
        return 5

    assert flytenb.run(LocalTask(None, body, task_type="without connector")).result == 5
    assert flytenb.run(LocalTask(None, body, task_type="scripted")).result == 5  # as its `execute` has it
    assert flytenb.rehearse(LocalTask(None, body, task_type="without connector")).requests == ()


@pytest.mark.parametrize("method", ["create_with", "get_with"])
def test_a_request_that_was_cancelled_at_the_service_fails_the_node(connector: Scripted, method: str) -> None:
    def cancelled(*_: Any) -> Any:
        raise asyncio.CancelledError("by the service")

    setattr(connector, method, cancelled)
    run = flytenb.start(ScriptedTask()).wait()
    assert run.phase is Phase.FAILED
    assert isinstance(run.error and run.error.exception, asyncio.CancelledError)
