"""Cached tasks of connectors: an answer is used again while the task, its connector and its inputs are unchanged."""

from __future__ import annotations

import gc
import os
import socket
import weakref
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from diskcache import Cache as Store
from flytekit import workflow
from flytekit.core.local_cache import LocalTaskCache
from flytekit.extend.backend.base_connector import ConnectorRegistry

import flytenb
from flytenb.model import CacheStatus, Phase
from tests.waiting import PATIENCE, is_soon, wait_for

ASYNC = '''
import threading
from dataclasses import dataclass
from pathlib import Path
from flyteidl.core.execution_pb2 import TaskExecution
from flytekit import kwtypes
from flytekit.core.base_task import PythonTask, TaskMetadata
from flytekit.core.interface import Interface
from flytekit.core.python_function_task import PythonFunctionTask
from flytekit.extend.backend import base_connector as base

FACTOR, created, deleted, known = 2, [], [], {}
meeting = threading.Barrier(2)


@dataclass
class Meta(base.ResourceMeta):
    n: int


def scale(n, factor):
    return n * factor * FACTOR


def answer(n, factor):
    if n < 0:
        return base.Resource(phase=TaskExecution.FAILED, message="n is negative")
    if n == 1000:
        meeting.wait()
    return base.Resource(phase=TaskExecution.SUCCEEDED, outputs={"o0": scale(n, factor)})


def number(inputs):
    return inputs.literals["n"].scalar.primitive.integer


class Service(base.AsyncConnectorBase):
    """Scales a number."""

    name = "cached service"

    def __init__(self):
        super().__init__(task_type_name="cached", metadata_type=Meta)
        self.factor, self.client = 3, None

    async def create(self, task_template, inputs=None, **kwargs):
        n = number(inputs)
        created.append(n)
        return Meta(n * int(task_template.custom["times"]))

    def get(self, resource_meta, **kwargs):
        return answer(resource_meta.n, self.factor)

    def delete(self, resource_meta, **kwargs):
        deleted.append(resource_meta.n)


class Job(base.AsyncConnectorExecutorMixin, PythonTask):
    def __init__(self, times=1, **metadata):
        interface = Interface(inputs=kwtypes(n=int), outputs=kwtypes(o0=int))
        metadata = {"cache": True, "cache_version": "1", **metadata}
        super().__init__("cached", "job", times, interface, metadata=TaskMetadata(**metadata))

    def get_custom(self, settings):
        return {"times": self.task_config}


base.ConnectorRegistry.register(Service(), override=True)
job = Job()
'''
MADE = 'Meta(n * int(task_template.custom["times"]))'
SYNC = (
    ASYNC.replace("Async", "Sync")
    .replace(", metadata_type=Meta", "")
    .replace("async def create(self, task_template, inputs=None", "def do(self, task_template, inputs")
    .replace(f"return {MADE}", f"return self.get({MADE})")
)
OWN = "    def execute(self, **inputs):\n        return base.AsyncConnectorExecutorMixin.execute(self, **inputs)\n\n"
CHOOSING = ASYNC.replace("    def get_custom", f"{OWN}    def get_custom")
KINDS = {"async": ASYNC, "sync": SYNC, "with an execute of its own": CHOOSING}


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalTaskCache, "_cache", Store(str(tmp_path / "cache")), raising=False)
    monkeypatch.setattr(LocalTaskCache, "_initialized", True)


def cell(source: str, *edits: tuple[str, str]) -> Any:
    """Run a cell, after edits, in a namespace of its own."""
    for old, new in edits:
        assert old in source
        source = source.replace(old, new)
    made = ModuleType("__main__")
    exec(compile(source, "<cell>", "exec"), made.__dict__)
    return made


def registered() -> Any:
    return ConnectorRegistry.get_connector("cached")


def run(job: Any, n: int = 5) -> tuple[Any, CacheStatus]:
    """Run a task with the cache; the answer must be the one without it."""
    cached = flytenb.run(job, n=n)
    assert cached.result == flytenb.options(cache=False).run(job, n=n).result
    return cached.result, cached.nodes["n0"].cache_status


def same(made: Any) -> None:
    """Change nothing."""


def set_attribute(made: Any) -> None:
    registered().factor = 4


def add_attribute(made: Any) -> None:
    registered().region = "north"


def set_config(made: Any) -> None:
    made.job._task_config = 7


def set_global(made: Any) -> None:
    made.FACTOR = 11


def patch(made: Any) -> None:
    made.Service.get = lambda self, resource_meta, **kwargs: made.answer(resource_meta.n, 100)


def register_other(made: Any) -> None:
    other = made.Service()
    other.factor = 13
    ConnectorRegistry.register(other, override=True)


def register_equal(made: Any) -> None:
    ConnectorRegistry.register(made.Service(), override=True)


@pytest.mark.sampled(5)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("change", "answer", "status"),
    [
        (same, 30, CacheStatus.HIT),
        (register_equal, 30, CacheStatus.HIT),
        (set_attribute, 40, CacheStatus.POPULATED),
        (add_attribute, 30, CacheStatus.POPULATED),
        (set_config, 210, CacheStatus.POPULATED),
        (set_global, 165, CacheStatus.POPULATED),
        (register_other, 130, CacheStatus.POPULATED),
    ],
)
def test_a_change_of_what_the_connector_reaches_is_a_miss(
    kind: str, change: Callable[[Any], None], answer: int, status: CacheStatus
) -> None:
    made = cell(KINDS[kind])
    assert run(made.job) == (30, CacheStatus.POPULATED)
    change(made)
    assert run(made.job) == (answer, status)


@pytest.mark.sampled(7)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("old", "new", "answer", "status"),
    [
        ("job = Job()", "job = Job()", 30, CacheStatus.HIT),
        ("FACTOR, created", "# a comment\nFACTOR, created", 30, CacheStatus.HIT),
        ("return answer(resource_meta.n, self.factor)", "return answer(resource_meta.n + 1, self.factor)", 36, None),
        ("n * factor * FACTOR", "n * factor * FACTOR + 1", 31, None),
        ("FACTOR, created, deleted, known = 2", "FACTOR, created, deleted, known = 5", 75, None),
        ("self.factor, self.client = 3", "self.factor, self.client = 4", 40, None),
        ("times=1", "times=2", 60, None),
        ('"times": self.task_config', '"times": self.task_config + 1', 60, None),
        ('"cache_version": "1"', '"cache_version": "2"', 30, None),
        ("job = Job()", "job = Job(retries=3)", 30, CacheStatus.HIT),
    ],
)
def test_a_cell_that_is_edited_and_run_again_is_a_miss(
    kind: str, old: str, new: str, answer: int, status: CacheStatus | None
) -> None:
    assert run(cell(KINDS[kind]).job) == (30, CacheStatus.POPULATED)
    assert run(cell(KINDS[kind], (old, new)).job) == (answer, status or CacheStatus.POPULATED)


@pytest.mark.parametrize("kind", KINDS)
def test_the_input_and_the_setting_of_the_run_decide_too(kind: str) -> None:
    made = cell(KINDS[kind])
    assert [run(made.job, n) for n in (1, 2, 1)] == [
        (6, CacheStatus.POPULATED),
        (12, CacheStatus.POPULATED),
        (6, CacheStatus.HIT),
    ]
    made.created.clear()
    assert flytenb.run(made.job, n=1).result == 6
    assert made.created == []
    flytenb.options(cache="overwrite").run(made.job, n=1)
    flytenb.options(cache=False).run(made.job, n=1)
    assert made.created == [1, 1]


@pytest.mark.parametrize("kind", KINDS)
def test_equal_calls_at_once_create_one_job(kind: str) -> None:
    made = cell(KINDS[kind])

    @workflow
    def calls(n: int) -> list[int]:
        return [made.job(n=n) for _ in range(4)]

    started = flytenb.options(workers=4).start(calls, n=1000)
    wait_for(lambda: all(node.phase is Phase.RUNNING for node in started.nodes.values()))
    made.meeting.wait(PATIENCE)
    assert started.wait(PATIENCE).result == [6000] * 4
    assert made.created == [1000]
    statuses = [node.cache_status for node in started.nodes.values()]
    assert sorted(status.name for status in statuses) == ["HIT", "HIT", "HIT", "POPULATED"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_failed_job_is_not_cached(kind: str) -> None:
    made = cell(KINDS[kind])
    for _ in range(2):
        failed = flytenb.start(made.job, n=-1).wait(PATIENCE)
        assert (failed.phase, "n is negative" in str(failed.error)) == (Phase.FAILED, True)
    assert made.created == [-1, -1]


@pytest.mark.parametrize("kind", ["async", "with an execute of its own"])
def test_a_cancelled_job_is_deleted_and_not_cached_and_holds_up_no_other(kind: str) -> None:
    made = cell(KINDS[kind], ("        meeting.wait()", "        return base.Resource(phase=TaskExecution.RUNNING)"))
    for count in (1, 2):
        started = flytenb.start(made.job, n=1000)
        wait_for(lambda count=count: len(made.created) == count)
        assert started.cancel().phase is Phase.ABORTED
        wait_for(lambda count=count: len(made.deleted) == count)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("client", [socket.socket, Path(os.devnull).open], ids=["a connection", "an open file"])
def test_a_connector_with_an_attribute_that_cannot_be_read_is_not_cached(kind: str, client: Callable[[], Any]) -> None:
    made = cell(KINDS[kind])
    with closing(client()) as registered().client:
        for _ in range(2):
            done = flytenb.run(made.job, n=5)
            assert (done.result, done.nodes["n0"].cache_status) == (30, CacheStatus.SKIPPED)
            assert "not used: UnreadableCodeError: connector Service: an object of type" in done.nodes["n0"].log
    assert made.created == [5, 5]


@pytest.mark.parametrize("kind", KINDS)
def test_a_connector_that_reads_the_jobs_that_it_keeps_is_never_answered_from_the_cache(kind: str) -> None:
    made = cell(KINDS[kind], ("created.append(n)", "created.append(n)\n        known[len(known)] = n"))
    for _ in range(2):
        node = flytenb.run(made.job, n=5).nodes["n0"]
        assert node.cache_status is CacheStatus.POPULATED
        assert kind not in ("async", "sync") or "the job changed what the connector or the task reaches" in node.log
    assert made.created == [5, 5]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["def get(", "async def get("])
def test_a_file_that_the_connector_reads_decides_too(kind: str, method: str, tmp_path: Path) -> None:
    if kind == "sync":
        method = "def get("
    read = "        text = (Path(self.client) / str(resource_meta.n)).read_text()\n        return answer(int(text), "
    made = cell(KINDS[kind], ("def get(", method), ("        return answer(resource_meta.n, ", read))
    registered().client = str(tmp_path)
    seen = []
    for text in ("7", "7", "9"):
        (tmp_path / "5").write_text(text)
        seen.append(run(made.job))
    assert seen == [(42, CacheStatus.POPULATED), (42, CacheStatus.HIT), (54, CacheStatus.POPULATED)]


def test_outputs_that_the_task_does_not_declare_are_not_stored() -> None:
    made = cell(ASYNC, ('outputs={"o0": scale(n, factor)}', 'outputs={"o0": scale(n, factor), "more": 1}'))
    assert [run(made.job) for _ in range(2)] == [(30, CacheStatus.POPULATED), (30, CacheStatus.HIT)]


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_a_run_of_a_cached_task_is_freed_at_once(kind: str) -> None:
    made = cell(KINDS[kind])
    gc.disable()
    try:
        for _ in range(2):  # a job, then a hit
            held = weakref.ref(flytenb.run(made.job, n=5))
            assert is_soon(lambda held=held: held() is None, PATIENCE)
    finally:
        gc.enable()
