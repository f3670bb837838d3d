"""Connectors written in cells of a real kernel, whose own event loop is busy all the time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kernel import Kernel

pytestmark = pytest.mark.kernel

CELLS = """
import asyncio
import threading
from dataclasses import dataclass
from pathlib import Path

import flytenb
from flyteidl.core.execution_pb2 import TaskExecution
from flytekit import kwtypes, workflow
from flytekit.core.base_task import PythonTask
from flytekit.core.interface import Interface
from flytekit.extend.backend.base_connector import (
    AsyncConnectorBase, AsyncConnectorExecutorMixin, ConnectorRegistry, Resource, ResourceMeta,
    SyncConnectorBase, SyncConnectorExecutorMixin,
)

meeting = threading.Barrier(2)
calls = []
LITERALS = {}


@dataclass
class JobMeta(ResourceMeta):
    x: int


class Polled(AsyncConnectorBase):
    name = "polled"

    def __init__(self):
        super().__init__(task_type_name="polled", metadata_type=JobMeta)

    async def create(self, task_template, inputs=None, **kwargs):
        calls.append("create")
        LITERALS.update(inputs.literals)
        await asyncio.to_thread(meeting.wait, 600)
        return JobMeta(inputs.literals["x"].scalar.primitive.integer)

    async def get(self, resource_meta, **kwargs):
        if resource_meta.x < 0:
            Path("polled").touch()
            return Resource(phase=TaskExecution.RUNNING, message="on and on")
        return Resource(phase=TaskExecution.SUCCEEDED, outputs={"o0": LITERALS["x"]})

    async def delete(self, resource_meta, **kwargs):
        calls.append("delete")


class Asked(SyncConnectorBase):
    name = "asked"

    def __init__(self):
        super().__init__(task_type_name="asked")

    def do(self, task_template, output_prefix, inputs=None, **kwargs):
        meeting.wait(600)
        x = inputs.literals["x"].scalar.primitive.integer
        return Resource(phase=TaskExecution.SUCCEEDED, outputs={"o0": x + 1})


ConnectorRegistry.register(Polled(), override=True)
ConnectorRegistry.register(Asked(), override=True)
interface = Interface(inputs=kwtypes(x=int), outputs=kwtypes(o0=int))


class PolledTask(AsyncConnectorExecutorMixin, PythonTask):
    def __init__(self):
        super().__init__(task_type="polled", name="polled", interface=interface)


class AskedTask(SyncConnectorExecutorMixin, PythonTask):
    def __init__(self):
        super().__init__(task_type="asked", name="asked", interface=interface)


polled, asked = PolledTask(), AskedTask()


@workflow
def both(x: int) -> list[int]:
    return [polled(x=x), asked(x=x)]


@workflow
def two(x: int) -> list[int]:
    return [polled(x=x), polled(x=x)]
"""


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel() as kernel:
        kernel.run(CELLS).ok()
        yield kernel


@pytest.mark.parametrize(("flow", "result"), [("both", [3, 4]), ("two", [3, 3])])
def test_connectors_of_cells_work_at_the_same_time_and_literals_pass_through(
    kernel: Kernel, flow: str, result: list[int]
) -> None:
    kernel.run(f"run = flytenb.run({flow}, x=3)").ok()
    assert kernel.value("run.result") == result


def test_an_interrupt_deletes_the_jobs_and_the_kernel_goes_on(kernel: Kernel) -> None:
    kernel.run("calls.clear()").ok()
    mark = kernel.cwd / "polled"
    assert kernel.run("flytenb.run(two, x=-1)", interrupt_when=mark.exists).fails().ename == "KeyboardInterrupt"
    kernel.run(
        """
        for _ in range(100):
            if calls.count("delete") == 2:
                break
            await asyncio.sleep(0.05)
        """
    ).ok()
    assert kernel.value("calls") == ["create", "create", "delete", "delete"]
    kernel.run("run = flytenb.run(both, x=5)").ok()
    assert kernel.value("run.result") == [5, 6]


def test_a_connector_defined_again_is_the_one_that_is_asked(kernel: Kernel) -> None:
    kernel.run(
        """
        class Asked(SyncConnectorBase):
            name = "asked"

            def __init__(self):
                super().__init__(task_type_name="asked")

            def do(self, task_template, output_prefix, inputs=None, **kwargs):
                return Resource(phase=TaskExecution.SUCCEEDED, outputs={"o0": -1})


        ConnectorRegistry.register(Asked())
        run = flytenb.run(asked, x=5)
        """
    ).ok()
    assert kernel.value("run.result") == -1


STATES = """
class State(AsyncConnectorBase):
    name = "state"

    def __init__(self):
        super().__init__(task_type_name="state", metadata_type=Word)

    async def create(self, task_template, inputs=None, **kwargs):
        calls.append("create")
        return Word(inputs.literals["how"].scalar.primitive.string_value, calls.count("create"))

    async def get(self, resource_meta, **kwargs):
        how, number = resource_meta.how, resource_meta.number
        link = TaskLog(name="console", uri=f"https://service.example/{number}")
        if how == "waits":
            phase, message = TaskExecution.WAITING_FOR_RESOURCES, "no slot"
        elif how == "busy" and number < 3:
            phase, message = TaskExecution.RETRYABLE_FAILED, "busy"
        elif how == "fails":
            phase, message = TaskExecution.FAILED, "bad query"
        else:
            phase, message = TaskExecution.SUCCEEDED, "done"
        return Resource(phase=phase, message=message, log_links=[link], outputs={"o0": VERSION},
                        custom_info={"number": number})

    def delete(self, resource_meta, **kwargs):
        calls.append(f"delete {resource_meta.how}")


ConnectorRegistry.register(State())
"""


@pytest.fixture(scope="module")
def states(kernel: Kernel) -> Kernel:
    kernel.run(
        """
        from datetime import timedelta
        from flyteidl.core.execution_pb2 import TaskLog
        from flytekit.core.base_task import TaskMetadata

        VERSION = "first"


        @dataclass
        class Word(ResourceMeta):
            how: str
            number: int


        class StateTask(AsyncConnectorExecutorMixin, PythonTask):
            def __init__(self, name, **metadata):
                face = Interface(inputs=kwtypes(how=str), outputs=kwtypes(o0=str))
                super().__init__(task_type="state", name=name, interface=face, metadata=TaskMetadata(**metadata))


        state, retried = StateTask("state"), StateTask("retried", retries=2)
        late = StateTask("late", timeout=timedelta(milliseconds=200))


        @workflow
        def all_at_once() -> list[str]:
            return [state(how="fine"), retried(how="fine"), state(how="fine")]
        """
    ).ok()
    kernel.run(STATES).ok()
    return kernel


@pytest.mark.parametrize(
    ("call", "phase", "calls", "words"),
    [
        ("state, how='fine'", "SUCCEEDED", ["create"], ["succeeded done", "console: https://service.example/1"]),
        ("state, how='fails'", "FAILED", ["create"], ["failed bad query", "custom info: {'number': 1}"]),
        ("retried, how='busy'", "SUCCEEDED", ["create"] * 3, ["retryable failed busy", "succeeded done"]),
        ("late, how='waits'", "FAILED", ["create", "delete waits"], ["waiting for resources no slot"]),
    ],
)
def test_phases_messages_and_links_of_a_connector_are_shown(
    states: Kernel, call: str, phase: str, calls: list[str], words: list[str]
) -> None:
    states.run(f"calls.clear(); run = flytenb.start({call}).wait()").ok()
    assert states.value("str(run.phase)") == phase
    assert states.value("calls") == calls
    log = states.value("run.nodes['n0'].log")
    assert all(word in log for word in words)
    number = calls.count("create")
    assert states.value("list(run.nodes['n0'].links)") == [("console", f"https://service.example/{number}")]


def test_a_cancelled_job_is_deleted_and_others_go_on(states: Kernel) -> None:
    states.run(
        """
        calls.clear()
        stuck = flytenb.start(state, how="waits")
        for _ in range(200):
            if stuck.nodes["n0"].links:
                break
            await asyncio.sleep(0.02)
        stuck.cancel().wait()
        others = flytenb.run(all_at_once)
        for _ in range(200):
            if "delete waits" in calls:
                break
            await asyncio.sleep(0.02)
        """
    ).ok()
    assert states.value("str(stuck.phase)") == "ABORTED"
    assert states.value("others.result") == ["first"] * 3
    assert states.value("calls.count('delete waits')") == 1


def test_the_cell_of_an_async_connector_can_be_run_again(states: Kernel) -> None:
    states.run("VERSION = 'second'").ok()
    states.run(STATES.replace("VERSION", "VERSION + ' again'")).ok()
    states.run("run = flytenb.run(state, how='fine')").ok()
    assert states.value("run.result") == "second again"
