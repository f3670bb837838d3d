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


@dataclass
class JobMeta(ResourceMeta):
    inputs: object
    runs_on: bool


class Polled(AsyncConnectorBase):
    name = "polled"

    def __init__(self):
        super().__init__(task_type_name="polled", metadata_type=JobMeta)

    async def create(self, task_template, inputs=None, **kwargs):
        calls.append("create")
        await asyncio.to_thread(meeting.wait, 20)
        return JobMeta(inputs, inputs.literals["x"].scalar.primitive.integer < 0)

    async def get(self, resource_meta, **kwargs):
        if resource_meta.runs_on:
            Path("polled").touch()
            return Resource(phase=TaskExecution.RUNNING, message="on and on")
        return Resource(phase=TaskExecution.SUCCEEDED, outputs={"o0": resource_meta.inputs.literals["x"]})

    async def delete(self, resource_meta, **kwargs):
        calls.append("delete")


class Asked(SyncConnectorBase):
    name = "asked"

    def __init__(self):
        super().__init__(task_type_name="asked")

    def do(self, task_template, output_prefix, inputs=None, **kwargs):
        meeting.wait(20)
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
