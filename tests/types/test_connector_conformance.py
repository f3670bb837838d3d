"""The checks of connectors: good ones pass them all, and each way to be wrong fails its own rows."""

from __future__ import annotations

import asyncio
import concurrent.futures
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flyteidl.core.execution_pb2 import TaskExecution, TaskLog
from flytekit import kwtypes, task
from flytekit.core.base_task import PythonTask
from flytekit.core.interface import Interface
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
from flytenb.errors import UsageError
from flytenb.types.conformance import connector_subject
from flytenb.types.conformance.blocking_calls import find_blocking_calls
from flytenb.types.samples import NoSampleError
from tests.waiting import PATIENCE, wait_for

INPUTS = {"n": 3}
jobs: dict[int, str] = {}


@dataclass
class Ticket(ResourceMeta):
    number: int
    n: int = 0


class Good(AsyncConnectorBase):
    """Keeps its jobs where a service would: outside of the connector."""

    name = "good"

    def __init__(self) -> None:
        super().__init__(task_type_name="conforming", metadata_type=Ticket)

    async def create(self, task_template: Any, inputs: Any = None, **kwargs: Any) -> Ticket:
        n = inputs.literals["n"].scalar.primitive.integer
        ticket = Ticket(len(jobs), n)
        jobs[ticket.number] = "queued"
        return ticket

    async def get(self, resource_meta: Ticket, **kwargs: Any) -> Resource:
        state = jobs[resource_meta.number]
        if state == "queued":
            jobs[resource_meta.number] = "done"
            return Resource(phase=TaskExecution.QUEUED)
        if state == "stopped":
            return Resource(phase=TaskExecution.ABORTED)
        if resource_meta.n < 0:
            return Resource(phase=TaskExecution.FAILED, message="n is negative")
        link = TaskLog(name="console", uri=f"https://service.example/{resource_meta.number}")
        outputs = {"square": resource_meta.n**2, "text": "a"}
        return Resource(phase=TaskExecution.SUCCEEDED, outputs=outputs, log_links=[link])

    async def delete(self, resource_meta: Ticket, **kwargs: Any) -> None:
        if jobs[resource_meta.number] != "done":
            jobs[resource_meta.number] = "stopped"


class Immediate(SyncConnectorBase):
    name = "immediate"

    def __init__(self) -> None:
        super().__init__(task_type_name="conforming at once")

    def do(self, task_template: Any, output_prefix: str, inputs: Any = None, **kwargs: Any) -> Resource:
        n = inputs.literals["n"].scalar.primitive.integer
        if n < 0:
            raise ValueError("n is negative")
        return Resource(phase=TaskExecution.SUCCEEDED, outputs={"square": n**2, "text": "a"})


INTERFACE = Interface(inputs=kwtypes(n=int), outputs=kwtypes(square=int, text=str))


class GoodTask(AsyncConnectorExecutorMixin, PythonTask[Any]):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__("conforming", "good task", None, INTERFACE)


class ImmediateTask(SyncConnectorExecutorMixin, PythonTask[Any]):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__("conforming at once", "immediate task", None, INTERFACE)


good_task, immediate_task = GoodTask(), ImmediateTask()


@pytest.fixture(autouse=True)
def service() -> Iterator[None]:
    jobs.clear()
    ConnectorRegistry.register(Good(), override=True)
    ConnectorRegistry.register(Immediate(), override=True)
    yield


def test_good_connectors_pass_every_check() -> None:
    for connector, of in ((Good(), good_task), (Immediate(), immediate_task)):
        result = flytenb.check_connector(connector, of, INPUTS, failing={"n": -1})
        assert result.ok, result
        assert all(row.is_checked for row in result.rows)


def test_the_checks_work_while_a_loop_runs() -> None:
    async def check() -> Any:
        return flytenb.check_connector(Good(), good_task, INPUTS)

    result = asyncio.run(check())
    assert result.ok
    assert [row.name for row in result.rows if not row.is_checked] == ["a job that fails"]


class Unlike(Good):
    """Isn't registered."""


class NoKeywords(Good):
    async def create(self, task_template: Any, inputs: Any, output_prefix: str) -> Ticket:  # type: ignore[override]
        return Ticket(0)


class Forgetful(Good):
    """Knows its jobs only in this object."""

    def __init__(self) -> None:
        super().__init__()
        self.mine: set[int] = set()

    async def create(self, task_template: Any, inputs: Any = None, **kwargs: Any) -> Ticket:
        ticket = await super().create(task_template, inputs)
        self.mine.add(ticket.number)
        return ticket

    async def get(self, resource_meta: Ticket, **kwargs: Any) -> Resource:
        if resource_meta.number not in self.mine:
            raise KeyError(resource_meta.number)
        return await super().get(resource_meta)


@dataclass
class Handle(Ticket):
    lock: Any = None


class Unencodable(Good):
    async def create(self, task_template: Any, inputs: Any = None, **kwargs: Any) -> Ticket:
        return Handle(0, 0, threading.Lock())


class Endless(Good):
    async def get(self, resource_meta: Ticket, **kwargs: Any) -> Resource:
        return Resource(phase=TaskExecution.RUNNING)


class AskedOnce(Good):
    async def get(self, resource_meta: Ticket, **kwargs: Any) -> Resource:
        resource = await super().get(resource_meta)
        if resource.phase == TaskExecution.SUCCEEDED:
            jobs[resource_meta.number] = "stopped"
        return resource


class DeletedOnce(Good):
    def delete(self, resource_meta: Ticket, **kwargs: Any) -> None:
        if jobs[resource_meta.number] == "deleted":
            raise RuntimeError("no such job")
        jobs[resource_meta.number] = "deleted" if jobs[resource_meta.number] == "done" else "stopped"


class Unstoppable(Good):
    async def delete(self, resource_meta: Ticket, **kwargs: Any) -> None:
        jobs[resource_meta.number] = "running"

    async def get(self, resource_meta: Ticket, **kwargs: Any) -> Resource:
        if jobs[resource_meta.number] == "running":
            return Resource(phase=TaskExecution.RUNNING)
        return await super().get(resource_meta)


class Undeletable(Good):
    """Has a delete that does nothing."""

    async def delete(self, resource_meta: Ticket, **kwargs: Any) -> None:
        return None


class Answering(Good):
    """Has other outputs, links or messages than it should."""

    outputs: Any = {"square": 9, "text": "a"}
    links: Any = ()
    message: Any = "n is negative"

    async def get(self, resource_meta: Ticket, **kwargs: Any) -> Resource:
        resource = await super().get(resource_meta)
        resource.outputs, resource.log_links = self.outputs, list(self.links)
        resource.message = self.message
        return resource


def answering(**attributes: Any) -> type[Answering]:
    return type("Answering", (Answering,), attributes)


class Blocking(Good):
    async def get(self, resource_meta: Ticket, **kwargs: Any) -> Resource:
        time.sleep(0)
        return await super().get(resource_meta)


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    ("connector", "rows", "words"),
    [
        (Unlike, ["it is registered"], "a Good is registered for 'conforming'"),
        (NoKeywords, ["create"], "unexpected keyword argument 'task_execution_metadata'"),
        (Unencodable, ["create"], "can't be encoded and decoded"),
        (Forgetful, ["the metadata is enough"], "get of a new Forgetful raised KeyError"),
        (Endless, ["get", "delete while it runs", "a job that fails"], "the job was running for"),
        (AskedOnce, ["get, again"], "the job is succeeded, then aborted"),
        (DeletedOnce, ["delete after the end"], "delete raised RuntimeError: no such job when it was called twice"),
        (Unstoppable, ["delete while it runs"], "the job runs on after delete"),
        (Undeletable, ["delete while it runs"], "the job runs on after delete, and succeeds"),
        (answering(outputs={"square": 9.0, "text": "a"}), ["outputs have their types"], "'square' is sent as"),
        (answering(outputs={"square": 9}), ["outputs have their types"], "output 'text' is missing"),
        (answering(outputs={"square": 9, "text": "a", "more": 1}), ["outputs have their types"], "'more' isn't decl"),
        (answering(links=[TaskLog(name="", uri="https://a.example")]), ["links"], "'': 'https://a.example'"),
        (answering(links=[TaskLog(name="log", uri="/tmp/log")]), ["links"], "'log': '/tmp/log'"),
        (answering(message=None), ["a job that fails"], "without a message"),
        (Blocking, ["async methods don't block"], "get calls time.sleep in line"),
    ],
)
def test_each_fault_fails_its_own_rows(
    connector: Any, rows: list[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connector_subject, "wait", lambda calls, _: concurrent.futures.wait(calls, PATIENCE))
    if connector is not Unlike:
        ConnectorRegistry.register(connector(), override=True)
    patience = 0.5 if connector in (Endless, Unstoppable) else PATIENCE
    result = flytenb.check_connector(connector(), good_task, INPUTS, failing={"n": -1}, patience=patience)
    assert [row.name for row in result.failed] == rows
    assert words in result.failed[0].what
    assert all(row.fix for row in result.failed)
    assert words.partition("'")[0] in " ".join(repr(result).split())


begun, go_on = threading.Event(), threading.Event()


def block() -> None:
    begun.set()
    go_on.wait()


async def wait_on_the_loop(*_: Any, **__: Any) -> Any:
    begun.set()
    await asyncio.Event().wait()


async def block_the_loop(*_: Any, **__: Any) -> Any:
    block()


class Slow(Ticket):
    """Metadata that blocks where it is encoded, on the event loop of the service."""

    def encode(self) -> bytes:
        block()
        return b""


async def create_slow(*_: Any, **__: Any) -> Any:
    return Slow(0, 0)


HANGS = {
    "blocks": (block_the_loop, "blocks the event loop in block, line"),
    "waits": (wait_on_the_loop, ""),
    "blocks a thread": (lambda *_, **__: block(), ""),
    "blocks where it is encoded": (create_slow, "blocks the event loop in block, line"),
}


@pytest.mark.parametrize(
    ("connector", "task", "method", "how", "row", "unchecked"),
    [
        *((Good, good_task, "create", how, "create", 8) for how in HANGS),
        *((Good, good_task, "get", how, "get", 7) for how in [*HANGS][:3]),
        *((Good, good_task, "delete", how, "delete after the end", 1) for how in [*HANGS][:3]),
        *((Immediate, immediate_task, "do", how, "do", 3) for how in [*HANGS][:3]),
    ],
)
def test_a_method_that_does_not_return_is_named_once(
    connector: Any, task: Any, method: str, how: str, row: str, unchecked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait(futures: Any, seconds: float) -> Any:
        """Wait until a call returns or hangs; then until it is cancelled, unless it blocks the event loop."""
        if seconds == PATIENCE:
            wait_for(lambda: begun.is_set() or futures[0].done())
            begun.clear()
            return concurrent.futures.wait(futures, 0)
        return concurrent.futures.wait(futures, 0 if words else PATIENCE)

    hang, words = HANGS[how]
    begun.clear(), go_on.clear()
    monkeypatch.setattr(connector_subject, "wait", wait)
    made = type("Hanging", (connector,), {method: hang})
    ConnectorRegistry.register(made(), override=True)
    try:
        rows = flytenb.check_connector(made(), task, INPUTS, failing={"n": -1}, patience=PATIENCE).rows
    finally:
        go_on.set()
    failed = [each for each in rows if not each.ok and each.name != "calls answer in time"]
    assert [each.name for each in failed] == [row]
    assert f"{method} didn't return within" in failed[0].what
    assert words in failed[0].what
    assert ("blocks the event loop" in failed[0].what) is bool(words)
    assert sum(not each.is_checked for each in rows) == unchecked


class TimesOut(Good):
    async def create(self, task_template: Any, inputs: Any = None, **kwargs: Any) -> Ticket:
        raise TimeoutError("the service doesn't answer")


def test_a_timeout_of_the_connector_is_not_that_of_the_check() -> None:
    ConnectorRegistry.register(TimesOut(), override=True)
    failed = flytenb.check_connector(TimesOut(), good_task, INPUTS).failed
    assert [(each.name, each.what) for each in failed] == [
        ("create", "it raised TimeoutError: the service doesn't answer")
    ]


class EndsAtOnce(Undeletable):
    async def get(self, resource_meta: Ticket, **kwargs: Any) -> Resource:
        jobs[resource_meta.number] = "done"
        return await super().get(resource_meta)


def test_a_job_that_ends_at_once_can_t_tell_what_delete_does() -> None:
    ConnectorRegistry.register(EndsAtOnce(), override=True)
    rows = {row.name: row for row in flytenb.check_connector(EndsAtOnce(), good_task, INPUTS).rows}
    assert not rows["delete while it runs"].is_checked
    assert "inputs with which it runs for longer" in rows["delete while it runs"].what


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((Good, good_task), UsageError, "expected a connector, got class Good"),
        ((Good(), task), UsageError, "expected a task that a connector runs"),
    ],
)
def test_other_arguments_are_rejected(arguments: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        flytenb.check_connector(*arguments)


def test_omitted_inputs_are_made_from_their_types() -> None:
    assert flytenb.check_connector(Good(), good_task).ok
    unmakeable = GoodTask.__new__(GoodTask)
    PythonTask.__init__(unmakeable, "conforming", "x", None, Interface(inputs=kwtypes(n=threading.Thread)))
    with pytest.raises(NoSampleError, match="input 'n'"):
        flytenb.check_connector(Good(), unmakeable)


async def waits_on_threads() -> None:
    await asyncio.to_thread(time.sleep, 1)
    await asyncio.get_running_loop().run_in_executor(None, lambda: subprocess.run(["true"], check=True))
    await asyncio.sleep(1)


async def blocks() -> None:
    if jobs:
        subprocess.run(["true"], check=True)
    [time.sleep(n) for n in range(3)]


def not_async() -> None:
    time.sleep(1)


def test_only_calls_that_run_on_the_loop_are_seen() -> None:
    assert find_blocking_calls(waits_on_threads) == []
    assert find_blocking_calls(not_async) == []
    assert [call.partition(" ")[0] for call in find_blocking_calls(blocks)] == ["subprocess.run", "time.sleep"]
