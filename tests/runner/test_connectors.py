"""What a service does for a task: several at once, blocking or not, deleted when the run no longer waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flyteidl.core.execution_pb2 import TaskExecution
from flytekit import PythonFunctionTask, kwtypes, task, workflow
from flytekit.core.base_task import PythonTask, TaskMetadata
from flytekit.core.interface import Interface
from flytekit.extend import TaskPlugins
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
from flytenb.model import Phase
from tests.waiting import PATIENCE, wait_for

calls: list[str] = []
go_on = threading.Event()
together = threading.Barrier(8)


@dataclass
class JobMeta(ResourceMeta):
    how: str


def read_how(inputs: Any) -> str:
    return str(inputs.literals["how"].scalar.primitive.string_value)


def block() -> None:
    while not go_on.is_set():
        time.sleep(0.005)


class Service(AsyncConnectorBase):
    name = "service"

    def __init__(self) -> None:
        super().__init__(task_type_name="service", metadata_type=JobMeta)

    async def create(self, task_template: Any, inputs: Any = None, **kwargs: Any) -> JobMeta:
        how = read_how(inputs)
        print(f"creating {how}")
        calls.append("create")
        if how == "create raises":
            raise RuntimeError("no room")
        return JobMeta(how)

    async def get(self, resource_meta: JobMeta, **kwargs: Any) -> Resource:
        how = resource_meta.how
        if how == "get raises":
            raise RuntimeError("lost sight")
        if how == "blocks":
            calls.append("blocks")
            block()
        if how == "once more" and calls.count("create") < 2:
            return Resource(phase=TaskExecution.RETRYABLE_FAILED, message="try again")
        if how == "fails":
            return Resource(phase=TaskExecution.FAILED, message="it is bad")
        if how in ("runs on", "delete raises"):
            return Resource(phase=TaskExecution.RUNNING)
        return Resource(phase=TaskExecution.SUCCEEDED, outputs={"o0": f"done {how}"})

    def delete(self, resource_meta: JobMeta, **kwargs: Any) -> None:
        calls.append("delete")
        if resource_meta.how == "delete raises":
            raise RuntimeError("no such right")


class Blocking(SyncConnectorBase):
    name = "blocking"

    def __init__(self) -> None:
        super().__init__(task_type_name="blocking")

    def do(self, task_template: Any, output_prefix: str, inputs: Any = None, **kwargs: Any) -> Resource:
        how = read_how(inputs)
        print(f"doing {how}")
        if how == "meets":
            together.wait(PATIENCE)
        if how == "blocks":
            calls.append("blocks")
            block()
        if how == "stops":
            next(iter(()))
        return Resource(phase=TaskExecution.SUCCEEDED, outputs={"o0": f"done {how}"})


ConnectorRegistry.register(Service(), override=True)
ConnectorRegistry.register(Blocking(), override=True)
INTERFACE = Interface(inputs=kwtypes(how=str), outputs=kwtypes(o0=str))


class ServiceTask(AsyncConnectorExecutorMixin, PythonTask):  # type: ignore[misc]
    def __init__(self, name: str, **metadata: Any) -> None:
        super().__init__(task_type="service", name=name, interface=INTERFACE, metadata=TaskMetadata(**metadata))


class BlockingTask(SyncConnectorExecutorMixin, PythonTask):  # type: ignore[misc]
    def __init__(self, name: str) -> None:
        super().__init__(task_type="blocking", name=name, interface=INTERFACE)


service = ServiceTask("service")
late = ServiceTask("late", timeout=timedelta(hours=1))
patient = ServiceTask("patient", retries=2)
blocking = BlockingTask("blocking")


@workflow
def eight(how: str) -> list[str]:
    return [blocking(how=how) for _ in range(8)]


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    calls.clear()
    go_on.clear()
    yield
    go_on.set()
    together.reset()


@pytest.mark.parametrize(
    ("how", "words", "then"),
    [
        ("create raises", "no room", ["create"]),
        ("get raises", "lost sight", ["create", "delete"]),
        ("fails", "it is bad", ["create"]),
    ],
)
def test_a_connector_that_raises_fails_its_node_and_no_job_runs_on(how: str, words: str, then: list[str]) -> None:
    done = flytenb.start(service, how=how).wait(PATIENCE)
    assert (done.phase, words in str(done.error), calls) == (Phase.FAILED, True, then)


def test_a_job_that_could_not_be_deleted_is_told(an_hour_passes: Callable[[], None]) -> None:
    started = flytenb.start(late, how="delete raises")
    wait_for(lambda: "create" in calls)
    an_hour_passes()
    done = started.wait(PATIENCE)
    assert done.nodes["n0"].phase is Phase.TIMED_OUT
    wait_for(lambda: "may run on: RuntimeError: no such right" in done.nodes["n0"].log)


def test_a_job_whose_service_says_so_is_tried_again_and_no_other() -> None:
    done = flytenb.start(patient, how="once more").wait(PATIENCE)
    assert (done.result, done.nodes["n0"].attempts) == ("done once more", 2)
    calls.clear()
    assert flytenb.start(patient, how="fails").wait(PATIENCE).nodes["n0"].attempts == 1


def test_what_connectors_print_is_their_node_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert flytenb.run(service, how="a").nodes["n0"].log == "creating a\nsucceeded\n"
    assert flytenb.run(blocking, how="b").nodes["n0"].log == "doing b\n"
    assert capsys.readouterr().out == ""


def test_blocking_connectors_run_at_the_same_time() -> None:
    assert flytenb.start(eight, how="meets").wait(PATIENCE).result == ["done meets"] * 8


def test_a_blocking_connector_that_raises_what_no_future_takes_fails_its_node() -> None:
    assert "StopIteration" in str(flytenb.start(blocking, how="stops").wait(PATIENCE).error)


@pytest.mark.parametrize("entity", [service, eight], ids=["on the loop", "on eight threads"])
def test_connectors_that_never_answer_are_in_nobody_s_way_once_their_run_is_cancelled(entity: Any) -> None:
    stuck = flytenb.start(entity, how="blocks")
    wait_for(lambda: calls.count("blocks") == (1 if entity is service else 8))
    assert stuck.cancel().phase is Phase.ABORTED
    if entity is service:
        # The thread is asked to stop, and the job that it had created is deleted.
        wait_for(lambda: "delete" in calls)
    assert flytenb.start(service, how="after").wait(PATIENCE).result == "done after"
    assert flytenb.start(blocking, how="after").wait(PATIENCE).result == "done after"


# --- tasks that decide themselves ------------------------------------------------------------------------------------


@dataclass
class Place:
    """Configuration of tasks that run here or at a service."""

    is_here: bool


class ChoosingTask(AsyncConnectorExecutorMixin, PythonFunctionTask[Place]):
    """Runs its function or a job, as the tasks of Spark and Slurm do."""

    def __init__(self, task_config: Place, task_function: Any, **options: Any) -> None:
        super().__init__(task_config, task_function, task_type="choosing", **options)

    def execute(self, **inputs: Any) -> Any:
        cls = PythonFunctionTask if self.task_config.is_here else AsyncConnectorExecutorMixin
        return cls.execute(self, **inputs)


@dataclass
class ChosenMeta(ResourceMeta):
    """The number that a job adds to."""

    number: int


class ChosenConnector(AsyncConnectorBase):
    """Adds 100, at the second question."""

    name = "chosen connector"

    def __init__(self) -> None:
        super().__init__(task_type_name="choosing", metadata_type=ChosenMeta)
        self.jobs: dict[bytes, int] = {}
        self.deleted: list[bytes] = []

    def create(self, task_template: Any, inputs: Any = None, **options: Any) -> Any:
        meta = ChosenMeta(inputs.literals["n"].scalar.primitive.integer)
        self.jobs[meta.encode()] = 0
        return meta

    def get(self, resource_meta: Any, **options: Any) -> Resource:
        self.jobs[resource_meta.encode()] += 1
        if resource_meta.number < 0 or self.jobs[resource_meta.encode()] < 2:
            return Resource(phase=TaskExecution.RUNNING, message="adding")
        return Resource(phase=TaskExecution.SUCCEEDED, outputs={"o0": resource_meta.number + 100})

    def delete(self, resource_meta: Any, **options: Any) -> None:
        self.deleted.append(resource_meta.encode())


def _double(n: int) -> int:
    return 2 * n


TaskPlugins.register_pythontask_plugin(Place, ChoosingTask)
chosen = ChosenConnector()
ConnectorRegistry.register(chosen, override=True)
double_here = task(task_config=Place(True))(_double)
double_there = task(task_config=Place(False))(_double)


@workflow
def both_places(n: int, m: int) -> tuple[int, int, int]:
    return double_here(n=n), double_there(n=n), double_there(n=m)


def test_a_task_with_an_execute_of_its_own_decides_between_its_function_and_its_connector() -> None:
    assert flytenb.run(both_places, n=3, m=4).result == (6, 103, 104)


def test_a_job_that_a_task_chose_itself_is_deleted_when_the_run_is_cancelled() -> None:
    run = flytenb.start(double_there, n=-1)
    key = ChosenMeta(-1).encode()
    wait_for(lambda: chosen.jobs.get(key, 0) > 1)
    run.cancel()
    wait_for(lambda: key in chosen.deleted)
